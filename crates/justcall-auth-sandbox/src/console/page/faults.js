// The faults in force, and the form that adds one.

import { call } from './api.js';
import { announce, byId, el, handle, update } from './dom.js';

/** The faults on offer; `member` is what the number of the form means, `connection` faults know no path. */
const KINDS = [
  { label: 'Answer with a status', order: { fault: 'answer' }, member: 'status', name: 'Status', value: 503 },
  { label: 'Answer late', order: { fault: 'delay' }, member: 'ms', name: 'Delay in milliseconds', value: 2000 },
  { label: 'Never answer', order: { fault: 'hang' } },
  { label: 'Drop the connection (close)', order: { fault: 'close_after_request' } },
  { label: 'Drop the connection (TCP reset)', order: { fault: 'reset_after_request' } },
  { label: 'Truncate the body', order: { fault: 'truncated_body' } },
  { label: 'Dribble the body, 8 bytes at a time', order: { fault: 'slow_body', chunk_bytes: 8 }, member: 'every_ms', name: 'Pause in milliseconds', value: 200 },
  { label: 'Drop a new connection', order: { fault: 'reset_before_request' }, connection: true },
  { label: 'TLS: expired certificate', order: { fault: 'tls', certificate: 'expired' }, connection: true, tls: true },
  { label: 'TLS: certificate for another host', order: { fault: 'tls', certificate: 'wrong_host' }, connection: true, tls: true },
  { label: 'TLS: unknown authority', order: { fault: 'tls', certificate: 'unknown_ca' }, connection: true, tls: true },
  { label: 'TLS: handshake never ends', order: { fault: 'hang_handshake' }, connection: true, tls: true },
];

export class FaultPanel {
  #form = byId('fault-form');
  #kinds;

  constructor(sandbox) {
    this.#kinds = KINDS.filter(({ tls }) => !tls || sandbox.https);
    this.#form.elements.fault.append(...this.#kinds.map(({ label }, index) => el('option', { value: index }, label)));
    this.#form.elements.fault.addEventListener('change', () => this.#adapt());
    this.#form.addEventListener('submit', handle(() => this.#add()));
    this.#adapt();
  }

  get #kind() {
    return this.#kinds[Number(this.#form.elements.fault.value)];
  }

  /** Shows the fields that the chosen fault has. */
  #adapt() {
    const { member, name, value, connection } = this.#kind;
    const label = byId('fault-value-label');
    label.hidden = !member;
    label.querySelector('span').textContent = name ?? '';
    this.#form.elements.value.value = value ?? '';
    this.#form.elements.path.disabled = Boolean(connection);
  }

  async #add() {
    const { value, path, times } = this.#form.elements;
    const order = { ...this.#kind.order };
    if (this.#kind.member) order[this.#kind.member] = Number(value.value);
    if (path.value && !path.disabled) order.path = path.value;
    if (times.value) order.times = Number(times.value);
    await call('POST', 'faults', order);
    announce(`The fault is in force: ${this.#kind.label}.`);
  }

  render(faults) {
    update(byId('fault-list'), faults, () => {
      if (!faults.length) return [el('li', { class: 'quiet' }, 'No fault is in force.')];
      return faults.map(({ id, fault, struck, times }) => {
        const clear = handle(async () => {
          await call('DELETE', `faults/${id}`);
          announce(`The fault ${fault} is cleared.`);
        });
        const left = times === null ? 'until it is cleared' : `${times} left`;
        return el(
          'li',
          {},
          el('strong', {}, fault),
          el('span', {}, `struck ${struck} times, ${left}`),
          el('button', { type: 'button', class: 'small', click: clear, 'aria-label': `Clear the fault ${fault}`, 'data-key': `clear-${id}` }, 'Clear'),
        );
      });
    });
  }
}
