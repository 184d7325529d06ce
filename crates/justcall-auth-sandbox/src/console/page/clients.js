// The clients, the pair that each uses, and the gap that a reset made for each.

import { el, update } from './dom.js';
import { pairOf, resultOf } from './model.js';

/** How many clients are shown; the ones seen last stay. */
const CLIENTS_MAX = 50;

export class Clients {
  #all = new Map();

  /** Takes account of requests that were added or changed. */
  apply({ changes, reset }) {
    if (reset) this.#all.clear();
    for (const { before, request } of changes) {
      if (request.status === null || (before && before.status !== null)) continue;
      this.#count(request);
    }
  }

  #count(request) {
    const name = request.client ?? 'without a name';
    const key = `${name} ${request.peer} ${request.account_id}`;
    const client = this.#all.get(key) ?? { name, peer: request.peer, calls: 0, failed: 0, gap: '' };
    this.#all.delete(key);
    this.#all.set(key, client);
    if (this.#all.size > CLIENTS_MAX) this.#all.delete(this.#all.keys().next().value);
    const result = resultOf(request);
    client.calls += 1;
    client.failed += result === 'ok' ? 0 : 1;
    if (result === 'rejected') {
      client.rejectedAt ??= request.t_ms;
      client.gap = 'rejected now';
    } else if (result === 'ok' && client.rejectedAt !== undefined) {
      client.gap = `recovered after ${((request.t_ms - client.rejectedAt) / 1000).toFixed(1)} s`;
      client.rejectedAt = undefined;
    }
    client.pair = pairOf(request);
    client.result = result;
    client.status = request.status;
  }

  show(place) {
    const rows = [...this.#all.values()].reverse();
    update(place, rows, () => {
      const head = ['Client', 'Pair in use', 'Last result', 'After a reset', 'Calls', 'Failed', 'From'].map((name) => el('th', { scope: 'col' }, name));
      const body = rows.map((client) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, client.name),
          el('td', {}, client.pair),
          el('td', { class: `result ${client.result}` }, String(client.status)),
          el('td', {}, client.gap),
          el('td', {}, String(client.calls)),
          el('td', {}, String(client.failed)),
          el('td', {}, client.peer ?? ''),
        ),
      );
      const none = el('tr', {}, el('td', { colspan: 7 }, 'No client has called yet.'));
      return [el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...(body.length ? body : [none]))];
    });
  }
}
