// The list of requests, the newest first. Only the rows in view are in the page, so that a long list stays fast.

import { call } from './api.js';
import { announce, byId, el, handle } from './dom.js';
import { pairOf, resultOf } from './model.js';

/** The height of a row, as in the style sheet. */
const ROW_HEIGHT = 30;
/** How many rows are drawn above and below those in view. */
const MARGIN = 8;

const FILTERS = {
  all: () => true,
  failed: (request) => resultOf(request) !== 'ok',
  faults: (request) => request.fault !== null,
};

export class RequestTable {
  #model;
  #scroll = byId('request-scroll');
  #table = byId('request-table');
  #shown = [];
  #newest = 0;

  constructor(model) {
    this.#model = model;
    this.#scroll.addEventListener('scroll', () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.#scroll);
    byId('request-filter').addEventListener('change', () => {
      this.#scroll.scrollTop = 0;
      this.render();
    });
    const clear = async () => {
      const { cleared } = await call('DELETE', 'requests');
      announce(`${cleared} requests were cleared.`);
    };
    byId('clear-requests').addEventListener('click', handle(clear));
  }

  /** Shows the requests of the model; one who reads older ones keeps them in view. */
  render() {
    const filter = byId('request-filter').value;
    const { requests } = this.#model;
    this.#shown = filter === 'all' ? requests : requests.filter(FILTERS[filter]);
    const added = this.#shown.length - this.#shown.findLastIndex(({ n }) => n <= this.#newest) - 1;
    if (this.#scroll.scrollTop > ROW_HEIGHT) this.#scroll.scrollTop += added * ROW_HEIGHT;
    this.#newest = this.#shown.at(-1)?.n ?? 0;
    const count = this.#shown.length.toLocaleString('en');
    byId('request-count').textContent = `${count} ${this.#shown.length === 1 ? 'request' : 'requests'}`;
    this.#draw();
  }

  #draw() {
    const total = this.#shown.length;
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_HEIGHT) - MARGIN);
    const end = Math.min(total, first + Math.ceil(this.#scroll.clientHeight / ROW_HEIGHT) + 2 * MARGIN);
    const rows = [];
    for (let index = first; index < end; index += 1) rows.push(this.#row(this.#shown[total - 1 - index], index));
    if (!total) rows.push(el('tr', {}, el('td', { colspan: 6 }, 'No request yet. Run a command from the top of the page.')));
    this.#table.setAttribute('aria-rowcount', total + 1);
    this.#table.tBodies[0].replaceChildren(space(first), ...rows, space(Math.max(0, total - end)));
  }

  #row(request, index) {
    const result = resultOf(request);
    const answer = request.status ?? (request.head_complete ? 'no answer' : 'broke off');
    const fault = request.fault ? `, fault ${request.fault}` : '';
    const from = `${request.client ?? 'no name'}, ${request.peer}, connection ${request.connection}`;
    return el(
      'tr',
      { 'aria-rowindex': index + 2, 'data-n': request.n },
      el('td', { class: 'code' }, this.#model.timeOf(request.t_ms)),
      el('td', {}, request.method),
      el('td', { class: 'code', title: request.target }, request.target),
      el('td', { class: `result ${result}` }, `${answer}${fault}`),
      el('td', {}, pairOf(request)),
      el('td', { title: from }, from),
    );
  }
}

/** A row that stands for so many rows out of view. */
function space(count) {
  const cell = el('td', { colspan: 6 });
  cell.style.height = `${count * ROW_HEIGHT}px`;
  const row = el('tr', { class: 'space', 'aria-hidden': 'true', hidden: count === 0 }, cell);
  row.style.height = cell.style.height;
  return row;
}
