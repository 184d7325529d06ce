// What the page knows of the sandbox: the newest state of accounts, faults and webhooks, and the last requests.

/** How many requests are kept; beyond it the oldest quarter goes. */
const REQUESTS_MAX = 20_000;

export const RESULTS = [
  { name: 'ok', label: '2xx success' },
  { name: 'rejected', label: '401 pair rejected' },
  { name: 'limited', label: '429 rate limited' },
  { name: 'other', label: 'other 1xx to 4xx' },
  { name: 'server', label: '5xx server error' },
  { name: 'none', label: 'no answer yet, or none' },
];

/** Returns the name of the result of a request. */
export function resultOf({ status }) {
  if (status === null) return 'none';
  if (status >= 200 && status < 300) return 'ok';
  if (status === 401) return 'rejected';
  if (status === 429) return 'limited';
  return status >= 500 ? 'server' : 'other';
}

/** Describes the pair of a request by its generation, never by its value. */
export function pairOf({ account_id, key_generation, secret_generation }) {
  if (key_generation === null && secret_generation === null) return 'unknown pair';
  const account = `account ${account_id}`;
  if (key_generation === secret_generation) return `generation ${key_generation}, ${account}`;
  if (secret_generation === null) return `key ${key_generation}, wrong secret, ${account}`;
  return `key ${key_generation ?? 'unknown'}, secret ${secret_generation}, ${account}`;
}

export class Model extends EventTarget {
  revision = 0;
  accounts = [];
  faults = [];
  webhooks = { urls: [], attempts: [] };
  /** In the order of their numbers, without a gap. */
  requests = [];
  /** When the accounts were received, on the clock of the page. */
  accountsAt = 0;
  /** The time when the sandbox started, in milliseconds since 1970. */
  startedAt = 0;

  /** Takes over an update from the stream of events. */
  apply(update) {
    this.revision = update.revision;
    if (update.accounts) {
      this.accounts = update.accounts;
      this.accountsAt = performance.now();
    }
    if (update.faults) this.faults = update.faults;
    if (update.webhooks) this.webhooks = update.webhooks;
    if (update.reset) this.requests = [];
    const changes = update.requests.map((request) => this.#put(request)).filter((change) => change);
    if (this.requests.length > REQUESTS_MAX) this.requests.splice(0, REQUESTS_MAX / 4);
    this.dispatchEvent(new CustomEvent('change', { detail: { changes, reset: update.reset } }));
  }

  /** The time of day of a moment of the sandbox. */
  timeOf(t_ms) {
    const date = new Date(this.startedAt + t_ms);
    return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  }

  /** Milliseconds since the sandbox started, by the browser's clock. */
  now() {
    return Date.now() - this.startedAt;
  }

  #put(request) {
    const position = this.requests.length ? request.n - this.requests[0].n : 0;
    if (position < 0) return undefined;
    const before = this.requests[position];
    this.requests[position] = request;
    return { before, request };
  }
}
