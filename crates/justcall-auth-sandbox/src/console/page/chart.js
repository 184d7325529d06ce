// The chart of calls by result over the last minute, and the rate budget.

import { el, svg, update } from './dom.js';
import { RESULTS, resultOf } from './model.js';

const SECONDS = 60;
const WIDTH = 900;
const HEIGHT = 160;

/** Counts the requests of each second of the last minute by result. */
function count(model) {
  const last = Math.floor(model.now() / 1000);
  const buckets = Array.from({ length: SECONDS }, () => ({}));
  for (let index = model.requests.length - 1; index >= 0; index -= 1) {
    const request = model.requests[index];
    const age = last - Math.floor(request.t_ms / 1000);
    if (age >= SECONDS) break;
    const bucket = buckets[SECONDS - 1 - Math.max(0, age)];
    const result = resultOf(request);
    bucket[result] = (bucket[result] ?? 0) + 1;
  }
  return buckets;
}

/** A round number at or above the highest bar. */
function ceiling(highest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, highest)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= highest);
}

/** Draws the chart. */
export function showChart(place, model) {
  const buckets = count(model);
  update(place, buckets, () => {
    const totals = RESULTS.map(({ name, label }) => ({ name, label, count: buckets.reduce((sum, bucket) => sum + (bucket[name] ?? 0), 0) }));
    const top = ceiling(Math.max(...buckets.map((bucket) => Object.values(bucket).reduce((sum, n) => sum + n, 0))));
    const words = totals.filter(({ count }) => count).map(({ label, count }) => `${label}: ${count}`);
    const title = words.length ? `Last minute: ${words.join(', ')}` : 'No call in the last minute';
    const shapes = buckets.flatMap((bucket, second) => bar(bucket, second, top));
    const scale = el('div', { class: 'scale', 'aria-hidden': 'true' }, el('span', {}, `${top} a second`));
    const times = el('div', { class: 'times', 'aria-hidden': 'true' }, el('span', {}, '1 minute ago'), el('span', {}, 'now'));
    const attributes = { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': title };
    return [scale, svg('svg', attributes, ...shapes), times, legend(totals)];
  });
}

function bar(bucket, second, top) {
  const step = WIDTH / SECONDS;
  let y = HEIGHT;
  return RESULTS.filter(({ name }) => bucket[name]).map(({ name }) => {
    const height = (bucket[name] / top) * HEIGHT;
    y -= height;
    return svg('rect', { class: name, x: second * step + 1, y, width: step - 2, height });
  });
}

function legend(totals) {
  const items = totals.map(({ name, label, count }) =>
    el('li', {}, svg('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' }, svg('rect', { class: name, width: 10, height: 10, rx: 2 })), `${label}: ${count}`),
  );
  return el('ul', { class: 'legend' }, ...items);
}

/** Shows what is left of the rate limits of each account. */
export function showBudget(place, model) {
  const passed = performance.now() - model.accountsAt;
  const rows = model.accounts.map(({ account_id, rate }) => {
    const { limit, used, window_s, resets_in_ms } = rate.long;
    const left = Math.max(0, resets_in_ms - passed);
    return { account_id, limit, window_s, enforced: rate.enforced, used: left ? used : 0, seconds: Math.ceil(left / 1000) };
  });
  update(place, rows, () => [el('h3', {}, 'Rate budget'), ...rows.map(budget)]);
}

function budget({ account_id, limit, window_s, enforced, used, seconds }) {
  const name = `Rate budget of account ${account_id}`;
  const kind = enforced ? 'enforced' : 'announced, not enforced';
  const end = seconds ? `, new in ${seconds} s` : '';
  const text = `${used} of ${limit} in ${window_s} s (${kind})${end}`;
  return el(
    'div',
    { class: 'budget' },
    el('span', {}, `Account ${account_id}`),
    el('progress', { max: limit, value: Math.min(used, limit), 'aria-label': name }),
    el('span', { class: enforced && used >= limit ? 'limited' : 'quiet' }, text),
  );
}
