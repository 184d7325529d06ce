// The registered URLs, the form that sends an event, and what came of each attempt.

import { call } from './api.js';
import { announce, byId, copyButton, el, handle, update } from './dom.js';

export class WebhookPanel {
  #model;
  #types;
  /** The number of the newest attempt in the list. */
  #newest = 0;

  constructor(model, types) {
    this.#model = model;
    this.#types = types;
    const form = byId('send-form');
    form.elements.type.append(...types.map(({ type }) => el('option', {}, type)));
    form.elements.type.value = 'call.completed';
    form.addEventListener('submit', handle(() => this.#send(form.elements.type.value)));
    byId('send-all').addEventListener('click', handle(() => this.#send(this.#types.map(({ type }) => type))));
    byId('url-form').addEventListener('submit', handle(() => this.#register()));
  }

  async #register() {
    const field = byId('url-form').elements.url;
    await call('POST', 'webhooks/urls', { url: field.value });
    field.value = '';
    announce('The URL is registered. The receiver answered 200 to the probe.');
  }

  async #send(type) {
    const form = byId('send-form');
    if (!form.elements.url.value) throw new Error('Register a URL first.');
    const [retries, retry_scale] = form.elements.retries.value.split(':').map(Number);
    const order = { url: form.elements.url.value, type, retries, retry_scale: retry_scale ?? 0 };
    announce('Sending; each attempt appears below.');
    const { deliveries } = await call('POST', 'webhooks', order);
    const good = deliveries.filter(({ status }) => status === 200).length;
    announce(`${deliveries.length} attempts, ${good} answered 200.`);
  }

  render() {
    const { urls, attempts } = this.#model.webhooks;
    this.#showUrls(urls);
    this.#showAttempts(attempts);
  }

  /** Adds and removes single attempts, so that details which are open stay open. */
  #showAttempts(attempts) {
    const list = byId('attempts');
    const known = new Set(attempts.map(({ n }) => String(n)));
    for (const item of [...list.children]) if (!known.has(item.dataset.n)) item.remove();
    for (const attempt of attempts.filter(({ n }) => n > this.#newest)) {
      list.prepend(this.#attempt(attempt));
      this.#newest = attempt.n;
    }
  }

  #showUrls(urls) {
    update(byId('url-list'), urls, () =>
      urls.map(({ id, url }) => {
        const remove = handle(async () => {
          await call('DELETE', `webhooks/urls/${id}`);
          announce('The URL is removed.');
        });
        const attributes = { type: 'button', class: 'small', click: remove, 'aria-label': `Remove ${url}`, 'data-key': `remove-${id}` };
        return el('li', {}, el('code', {}, url), el('button', attributes, 'Remove'));
      }),
    );
    const select = byId('send-form').elements.url;
    const chosen = select.value;
    update(select, urls, () => urls.map(({ url }) => el('option', { selected: url === chosen }, url)));
  }

  #attempt(attempt) {
    const good = attempt.status === 200;
    const outcome = attempt.status === null ? attempt.error : `status ${attempt.status}`;
    const retry = attempt.retry_in_ms === null ? '' : `next attempt in ${Math.round(attempt.retry_in_ms / 1000)} s`;
    const kind = attempt.signature ? attempt.type : 'probe, unsigned';
    return el(
      'li',
      { 'data-n': attempt.n },
      el('span', { class: 'code' }, this.#model.timeOf(attempt.t_ms)),
      el('strong', {}, kind),
      el('span', {}, `attempt ${attempt.attempt}`),
      el('span', { class: `result ${good ? 'ok' : 'rejected'}` }, outcome),
      el('span', { class: 'quiet' }, retry),
      this.#details(attempt),
    );
  }

  #details(attempt) {
    const rows = [
      ['URL', attempt.webhook_url],
      ['x-justcall-signature', attempt.signature ?? 'none: the service does not sign the probe'],
      ['x-justcall-request-timestamp', attempt.timestamp ?? 'none'],
      ['request_id', attempt.request_id],
      ["Receiver's answer", attempt.body ?? attempt.error],
    ];
    const list = rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', { class: 'code' }, value)]);
    const copy = attempt.signature ? [copyButton('the signature', attempt.signature)] : [];
    return el('details', {}, el('summary', {}, 'Signature and answer'), el('dl', {}, ...list), ...copy);
  }
}
