// The settings page: the pairs of an account, and what they may do.

import { call } from './api.js';
import { announce, byId, copyButton, el, handle, update } from './dom.js';

export class AccountPanel {
  #model;
  #onPair;
  #id;

  /** `onPair` gets each pair whose secret is shown. */
  constructor(model, onPair) {
    this.#model = model;
    this.#onPair = onPair;
    byId('generate').addEventListener('click', handle(() => this.#reset({}, 'The new pair is in force.')));
    byId('reset').addEventListener('click', handle(() => this.#reset({}, 'The old pair is invalid now. The new pair is in force.')));
    byId('reset-overlap').addEventListener('click', handle(() => this.#resetWithOverlap()));
    byId('settings').addEventListener('submit', handle(() => this.#save()));
  }

  get #account() {
    return this.#model.accounts.find((account) => account.account_id === this.#id) ?? this.#model.accounts[0];
  }

  /** Shows the secret of the first pair, if no one has seen it. */
  async begin() {
    const first = this.#model.accounts[0];
    if (first.pairs.at(-1).secret_shown) return;
    try {
      this.#onPair(await call('POST', `accounts/${first.account_id}/reveal`));
    } catch {
      // Another console was faster; the secret is shown there.
    }
  }

  render() {
    const account = this.#account;
    if (!account) return;
    this.#id = account.account_id;
    this.#showChoice();
    this.#showPairs(account);
    this.#fillSettings(account);
    const alive = account.pairs.at(-1).alive;
    byId('generate').disabled = alive;
    byId('reset').disabled = !alive;
    byId('reset-overlap').disabled = !alive;
  }

  #showChoice() {
    const accounts = this.#model.accounts.map(({ account_id, email }) => ({ account_id, email }));
    update(byId('account-choice'), [accounts, this.#id], () => {
      const choose = (event) => {
        this.#id = Number(event.target.value);
        this.render();
      };
      const options = accounts.map(({ account_id, email }) =>
        el('option', { value: account_id, selected: account_id === this.#id }, `${account_id}, ${email}`),
      );
      const add = handle(async () => {
        const made = await call('POST', 'pairs', {});
        this.#id = made.account_id;
        this.#show(made, 'The account was added.');
      });
      return [
        el(
          'div',
          { class: 'row' },
          el('label', {}, 'Account ', el('select', { change: choose, 'data-key': 'account' }, ...options)),
          el('button', { type: 'button', class: 'small', click: add, 'data-key': 'add' }, 'Add an account'),
        ),
      ];
    });
  }

  #showPairs({ account_id, pairs }) {
    const left = this.#millisecondsLeft();
    const state = ({ alive, dies_in_ms }) => {
      if (!alive || left(dies_in_ms) === 0) return 'dead';
      return dies_in_ms === null ? 'alive' : `alive for ${Math.ceil(left(dies_in_ms) / 1000)} s`;
    };
    const rows = [...pairs].reverse().map((pair) => ({ ...pair, state: state(pair) }));
    update(byId('pairs'), [account_id, rows], () => {
      const head = ['Generation', 'State', 'Action', 'API key', 'API secret'].map((name) => el('th', { scope: 'col' }, name));
      const body = rows.map((pair) => {
        const revoke = handle(async () => {
          await call('POST', `pairs/${encodeURIComponent(pair.api_key)}/revoke`);
          announce(`Generation ${pair.generation} is revoked.`);
        });
        const name = `Revoke generation ${pair.generation}`;
        const key = `revoke-${pair.generation}`;
        const action = el('button', { type: 'button', class: 'small', click: revoke, 'aria-label': name, 'data-key': key }, 'Revoke');
        return el(
          'tr',
          {},
          el('td', {}, String(pair.generation)),
          el('td', { class: pair.state === 'dead' ? 'rejected' : 'ok' }, pair.state),
          el('td', {}, pair.state === 'dead' ? '' : action),
          el('td', { class: 'code' }, pair.api_key),
          el('td', {}, pair.secret_shown ? 'shown once' : 'not shown yet'),
        );
      });
      return [el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)];
    });
  }

  /** Returns how much is left now of a time that the last update named. */
  #millisecondsLeft() {
    const passed = performance.now() - this.#model.accountsAt;
    return (named) => (named === null ? Infinity : Math.max(0, named - passed));
  }

  /** Fills the form in when the account or its settings have changed, and leaves what is being typed. */
  #fillSettings({ account_id, plan, role, allowed_ips, rate }) {
    const form = byId('settings');
    const settings = JSON.stringify([account_id, plan, role, allowed_ips, rate.enforced, rate.long.limit, rate.long.window_s]);
    if (form.shownKey === settings) return;
    form.shownKey = settings;
    for (const [name, value] of Object.entries({ plan, role })) {
      const select = form.elements[name];
      if (![...select.options].some((option) => option.value === value)) select.append(el('option', {}, value));
      select.value = value;
    }
    form.elements.allowed_ips.value = allowed_ips.join(', ');
    form.elements.limit.value = rate.enforced ? rate.long.limit : '';
    form.elements.window_s.value = rate.enforced ? rate.long.window_s : 60;
  }

  async #save() {
    const { plan, role, allowed_ips, limit, window_s } = byId('settings').elements;
    const addresses = allowed_ips.value.split(/[\s,]+/).filter((address) => address);
    const rate_limit = limit.value ? { limit: Number(limit.value), window_s: Number(window_s.value) } : null;
    const change = { plan: plan.value, role: role.value, allowed_ips: addresses, rate_limit };
    await call('PATCH', `accounts/${this.#id}`, change);
    announce('Saved. It holds for the next request.');
  }

  #resetWithOverlap() {
    const seconds = Number(byId('overlap').value);
    if (!(seconds > 0)) throw new Error('The overlap must be at least one second.');
    return this.#reset({ overlap_ms: seconds * 1000 }, `Both pairs are in force for ${seconds} seconds.`);
  }

  async #reset(order, text) {
    this.#show(await call('POST', 'reset', { account_id: this.#id, ...order }), text);
  }

  /** Shows a new pair, once: closing the panel forgets the secret. */
  #show(pair, text) {
    this.#onPair(pair);
    const place = byId('secret');
    const close = () => {
      place.replaceChildren();
      place.hidden = true;
      byId('reset').focus();
    };
    const row = (name, value) => [el('dt', {}, name), el('dd', {}, el('code', {}, value), ' ', copyButton(name, value))];
    place.replaceChildren(
      el('p', {}, 'Copy the key and the secret now. The secret is not shown again.'),
      el('dl', {}, ...row('API key', pair.api_key), ...row('API secret', pair.api_secret)),
      el('button', { type: 'button', click: close }, 'I have copied both'),
    );
    place.hidden = false;
    place.focus();
    announce(text);
  }
}
