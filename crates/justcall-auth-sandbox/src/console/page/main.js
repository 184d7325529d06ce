// Connects the parts of the page with the sandbox.

import { AccountPanel } from './account.js';
import { call, listen } from './api.js';
import { showBudget, showChart } from './chart.js';
import { Clients } from './clients.js';
import { announce, byId } from './dom.js';
import { FaultPanel } from './faults.js';
import { Model } from './model.js';
import { RequestTable } from './requests.js';
import { showStart } from './start.js';
import { WebhookPanel } from './webhooks.js';

/** How often what depends on the time is drawn again, in milliseconds. */
const TICK = 500;

async function main() {
  const [sandbox, types] = await Promise.all([call('GET', 'sandbox'), call('GET', 'webhooks')]);
  const model = new Model();
  model.startedAt = Date.now() - sandbox.elapsed_ms;
  const account = new AccountPanel(model, (pair) => showStart(byId('commands'), sandbox, pair));
  const clients = new Clients();
  const requests = new RequestTable(model);
  const faults = new FaultPanel(sandbox);
  const webhooks = new WebhookPanel(model, types);

  const renderTimed = () => {
    showChart(byId('chart'), model);
    showBudget(byId('budget'), model);
    account.render();
  };
  let waiting = false;
  const render = () => {
    waiting = false;
    requests.render();
    clients.show(byId('clients'));
    faults.render(model.faults);
    webhooks.render();
    renderTimed();
  };
  model.addEventListener('change', ({ detail }) => {
    clients.apply(detail);
    if (!waiting) requestAnimationFrame(render);
    waiting = true;
  });
  model.addEventListener('change', () => account.begin(), { once: true });
  showStart(byId('commands'), sandbox, undefined);
  setInterval(renderTimed, TICK);
  listen(model, (isOpen) => {
    byId('connection').textContent = isOpen ? 'Live' : 'Connection lost, trying again';
    byId('connection').classList.toggle('live', isOpen);
  });
}

main().catch((error) => announce(error.message));
