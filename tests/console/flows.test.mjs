// What a person does with the console, in a real browser.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';

import * as support from './support.mjs';
import { calls, command, eventually, load, open, picture, receiver, recorded, sandbox } from './support.mjs';

let browser;
before(async () => (browser = await support.browser()));
after(() => browser.close());

const message = (page) => page.locator('#message').textContent();
const pairs = (page) => page.locator('#pairs tbody').innerText();

/** The pair that the panel shows once. */
async function shownPair(page) {
  const [api_key, api_secret] = await page.locator('#secret dd code').allTextContents();
  return { api_key, api_secret };
}

test('the first screen has a command for each language, and its own pair verifies', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  await page.getByText(`JUSTCALL_API_SECRET=${box.api_secret}`).waitFor();
  const lines = await page.locator('#commands code').allTextContents();
  const names = await page.locator('#commands .command > span').allTextContents();
  assert.deepEqual(names, ['Pair', 'Command', 'Python', 'C', 'C++', 'Rust', 'curl']);
  for (const line of lines.slice(1)) assert.ok(line.includes(box.url) && line.includes(box.ca_file), line);
  const values = Object.fromEntries(lines[0].split(' ').slice(1).map((word) => word.split('=')));
  const [program, ...args] = lines[1].split(' ');
  assert.equal(program, 'justcall-auth');
  const verified = await command(args, values);
  assert.equal(verified.code, 0, verified.text);
  await page.locator('#request-table').getByText('/v2/account').waitFor();
  assert.match(await page.locator('#clients').innerText(), /generation 1, account 12345\s+200/);
  assert.deepEqual(page.problems, []);
});

test('the curl line works as it stands', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  await page.getByText(`JUSTCALL_API_SECRET=${box.api_secret}`).waitFor();
  const lines = await page.locator('#commands code').allTextContents();
  const { execFileSync } = await import('node:child_process');
  const answer = execFileSync('sh', ['-c', `${lines[0]}\n${lines.at(-1)}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  assert.equal(JSON.parse(answer).data.account_id, 12345);
});

test('a secret is shown once: not after a reload, and not in a second console', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  await page.getByText(box.api_secret).waitFor();
  const second = await open(t, browser, box);
  await second.locator('#pairs').getByText('shown once').waitFor();
  assert.match(await second.locator('#commands code').first().textContent(), /was shown once/);
  await page.reload();
  await page.locator('#pairs').getByText('shown once').waitFor();
  assert.ok(!(await page.content()).includes(box.api_secret));
  assert.ok((await page.content()).includes(box.api_key), 'the control: the key is there');
});

test('a pair is revoked and another one generated, which the real command verifies', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const verify = (pair) =>
    command(['verify', '--base-url', box.url, '--ca-file', box.ca_file], { JUSTCALL_API_KEY: pair.api_key, JUSTCALL_API_SECRET: pair.api_secret });
  assert.equal((await verify(box)).code, 0);
  assert.ok(await page.getByRole('button', { name: 'Generate API key' }).isDisabled());
  await page.getByRole('button', { name: 'Revoke generation 1' }).click();
  await page.locator('#pairs').getByText('dead').waitFor();
  assert.equal((await verify(box)).code, 4);
  await page.locator('#request-table').getByText('401').first().waitFor();
  await page.getByRole('button', { name: 'Generate API key' }).click();
  await page.locator('#secret').waitFor();
  const pair = await shownPair(page);
  assert.equal((await verify(pair)).code, 0);
  await page.getByRole('button', { name: 'I have copied both' }).click();
  assert.ok(!(await page.locator('#account').innerText()).includes(pair.api_secret));
  assert.match(await pairs(page), /^2\t.*alive.*\n1\t.*dead/m);
});

test('the copy button copies the secret', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('button', { name: 'Reset now' }).click();
  await page.getByRole('button', { name: 'Copy API secret' }).click();
  await eventually(() => message(page), (text) => text === 'Copied: API secret.');
  const { api_secret } = await shownPair(page);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), api_secret);
  assert.match(api_secret, /^[0-9a-f]{40}$/);
});

test('a reset under load shows the gap, and the recovery when the program has the new pair', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const program = load(t, box);
  const clients = () => page.locator('#clients tbody').innerText();
  await eventually(clients, (text) => text.includes('generation 1, account 12345\t200'));
  await picture.seconds(8);
  await page.getByRole('button', { name: 'Reset now' }).click();
  await eventually(clients, (text) => text.includes('generation 1, account 12345\t401') && text.includes('rejected now'));
  await picture.seconds(3);
  program.write(await shownPair(page));
  await eventually(clients, (text) => /generation 2, account 12345\t200.*recovered after \d+\.\d s/.test(text));
  const legend = await page.locator('#chart .legend').innerText();
  assert.match(legend, /401 pair rejected: [1-9]/);
  assert.match(await page.locator('#chart > svg').getAttribute('aria-label'), /2xx success: \d+, 401 pair rejected: [1-9]/);
  assert.ok((await page.locator('#chart > svg rect.rejected').count()) > 0);
  assert.deepEqual(page.problems, []);
  await picture.seconds(8);
  await page.getByRole('button', { name: 'I have copied both' }).click();
  await picture.take(page, '#account', 'console.png');
});

test('a reset with an overlap keeps both pairs alive, and then ends the old one', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  await page.getByRole('spinbutton', { name: 'seconds' }).first().fill('3600');
  await page.getByRole('button', { name: 'Reset with an overlap' }).click();
  await eventually(() => pairs(page), (text) => /^2\t.*alive\t/m.test(text) && /^1\t.*alive for 3[56]\d\d s/m.test(text));
  assert.deepEqual(await calls(box, 1), [200], 'the old pair works');
  const pair = await shownPair(page);
  assert.deepEqual(await calls(box, 1, { pair: `${pair.api_key}:${pair.api_secret}` }), [200]);
  await page.locator('#overlap').fill('1');
  await page.getByRole('button', { name: 'Reset with an overlap' }).click();
  await eventually(() => pairs(page), (text) => /^1\t.*dead/m.test(text) && /^2\t.*dead/m.test(text) && /^3\t.*alive/m.test(text));
  assert.deepEqual(await calls(box, 1), [401]);
});

test('plan, role, addresses and rate limit hold for the next request', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const save = async () => {
    const before = await box.control('GET', 'accounts');
    await page.getByRole('button', { name: 'Save' }).click();
    await eventually(() => box.control('GET', 'accounts'), (accounts) => JSON.stringify(accounts) !== JSON.stringify(before));
  };
  await page.getByLabel('Plan').selectOption('Free');
  await save();
  assert.deepEqual(await calls(box, 1), [403]);
  await page.getByLabel('Plan').selectOption('Business');
  await page.getByLabel('Role').selectOption('Agent');
  await save();
  assert.deepEqual(await calls(box, 1), [403]);
  await page.getByLabel('Role').selectOption('Owner');
  await page.getByLabel('Allowed IP addresses').fill('127.0.0.9');
  await save();
  assert.deepEqual(await calls(box, 1), [403]);
  await page.getByLabel('Allowed IP addresses').fill('127.0.0.9, 127.0.0.1');
  await page.getByLabel('Enforced rate limit').fill('2');
  await page.getByLabel('Window of the limit').fill('3600');
  await save();
  assert.deepEqual((await calls(box, 3)).sort(), [200, 200, 429]);
  await eventually(() => page.locator('#budget').innerText(), (text) => text.includes('3 of 2 in 3600 s (enforced), new in'));
  await page.locator('#chart').getByText('429 rate limited: 1').waitFor();
  await page.getByLabel('Allowed IP addresses').fill('nowhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await eventually(() => message(page), (text) => text.includes('invalid IP address'));
});

test('a fault strikes as often as was asked, and is cleared', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  await page.getByRole('spinbutton', { name: 'Status' }).fill('418');
  await page.getByLabel('How often').fill('2');
  await page.getByRole('button', { name: 'Put in force' }).click();
  await page.locator('#fault-list').getByText('struck 0 times, 2 left').waitFor();
  assert.deepEqual(await calls(box, 1), [418]);
  await page.locator('#fault-list').getByText('struck 1 times, 1 left').waitFor();
  await page.locator('#request-table').getByText('418, fault answer').waitFor();
  await page.getByRole('button', { name: 'Clear the fault answer' }).click();
  await page.getByText('No fault is in force.').waitFor();
  assert.deepEqual(await calls(box, 1), [200]);
});

test('every fault of the panel is one that the sandbox takes, and the TLS ones break a handshake', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const kinds = await page.locator('#fault-form select option').allTextContents();
  assert.equal(kinds.length, 12);
  for (const kind of kinds) {
    await page.getByRole('combobox', { name: 'Fault', exact: true }).selectOption(kind);
    await page.getByRole('button', { name: 'Put in force' }).click();
    await eventually(() => message(page), (text) => text === `The fault is in force: ${kind}.`);
  }
  assert.equal((await box.control('GET', 'faults')).length, kinds.length);
  await box.control('DELETE', 'faults');
  await page.getByRole('combobox', { name: 'Fault', exact: true }).selectOption('TLS: expired certificate');
  await page.getByRole('button', { name: 'Put in force' }).click();
  await page.locator('#fault-list').getByText('tls').waitFor();
  await assert.rejects(calls(box, 1), /expired/);
  const plain = await open(t, browser, await sandbox(t, ['--http']));
  assert.equal(await plain.locator('#fault-form select option').count(), 8, 'none of TLS without TLS');
});

test('a webhook makes the round trip: registered, signed, retried, answered', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const hook = await receiver(t, [200, 503]);
  await page.getByLabel('URL of your receiver').fill(hook.url);
  await page.getByRole('button', { name: 'Register' }).click();
  await page.locator('#url-list').getByText(hook.url).waitFor();
  assert.equal(hook.came[0].headers['x-justcall-signature'], undefined, 'the probe is not signed');
  await page.getByRole('combobox', { name: 'Event', exact: true }).selectOption('sms.received');
  await page.getByLabel('Retries').selectOption('5, at once');
  await page.getByRole('button', { name: 'Send the event' }).click();
  await eventually(() => message(page), (text) => text === '2 attempts, 1 answered 200.');
  const rows = await page.locator('#attempts > li').allInnerTexts();
  assert.equal(rows.length, 3);
  assert.match(rows[0], /sms\.received\s+attempt 2\s+status 200/);
  assert.match(rows[1], /sms\.received\s+attempt 1\s+status 503\s+next attempt in 0 s/);
  assert.match(rows[2], /probe, unsigned\s+attempt 1\s+status 200/);
  await page.locator('#attempts > li').first().locator('summary').click();
  const details = await page.locator('#attempts > li').first().innerText();
  const { headers } = hook.came[2];
  const signed = `${box.api_secret}|${encodeURIComponent(hook.url)}|sms.received|${headers['x-justcall-request-timestamp']}`;
  const signature = createHmac('sha256', box.api_secret).update(signed).digest('hex');
  assert.equal(headers['x-justcall-signature'], signature);
  assert.ok(details.includes(signature) && details.includes('thanks'), details);
  await page.getByRole('button', { name: 'Send one of each type' }).click();
  const { length } = await box.control('GET', 'webhooks');
  await eventually(() => message(page), (text) => text === `${length} attempts, ${length} answered 200.`);
  assert.equal(new Set(hook.came.slice(1).map(({ body }) => JSON.parse(body).type)).size, length);
});

test('a receiver that refuses the probe or leads elsewhere is not registered', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const hook = await receiver(t, [401]);
  for (const [url, why] of [[hook.url, 'status 401'], ['http://192.0.2.1/hook', 'this machine only'], ['http://127.0.0.1:1/', 'no connection']]) {
    await page.getByLabel('URL of your receiver').fill(url);
    await page.getByRole('button', { name: 'Register' }).click();
    await eventually(() => message(page), (text) => text.includes(why));
  }
  assert.deepEqual((await box.control('GET', 'webhooks/deliveries')).urls, []);
});

test('everything can be done with the keyboard alone', async (t) => {
  const box = await sandbox(t);
  const page = await open(t, browser, box);
  const reach = async (holds) => {
    for (let steps = 0; steps < 120; steps += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(holds)) return;
    }
    assert.fail(`the focus never came there: ${holds}`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the requests');
  await reach(() => document.activeElement.id === 'reset');
  await page.keyboard.press('Enter');
  await page.locator('#secret').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'secret', 'the new secret has the focus');
  await reach(() => document.activeElement.textContent === 'I have copied both');
  await page.keyboard.press('Space');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'reset', 'the focus goes back');
  await reach(() => document.activeElement.textContent === 'Put in force');
  await page.keyboard.press('Enter');
  await page.locator('#fault-list').getByText('answer').waitFor();
  await reach(() => document.activeElement.textContent === 'Clear' && document.activeElement.closest('#fault-list'));
  await page.keyboard.press('Enter');
  await page.getByText('No fault is in force.').waitFor();
  await page.evaluate(() => document.querySelector('#request-scroll').focus());
  await calls(box, 60);
  await eventually(() => recorded(box), (count) => count === 60);
  // A row that comes after the key moves the first one out of sight again.
  await eventually(() => page.locator('#request-count').textContent(), (text) => text === '60 requests');
  await page.keyboard.press('End');
  await page.locator('#request-table tr[data-n="1"]').waitFor();
});

test('a closed console misses nothing, and a lost sandbox is reported', async (t) => {
  const box = await sandbox(t);
  const first = await open(t, browser, box);
  const second = await open(t, browser, box);
  await first.close();
  await calls(box, 5);
  await eventually(() => second.locator('#request-count').textContent(), (text) => text === '5 requests');
  const again = await open(t, browser, box);
  await eventually(() => again.locator('#request-count').textContent(), (text) => text === '5 requests');
  box.child.kill('SIGTERM');
  await eventually(() => second.locator('#connection').textContent(), (text) => text.startsWith('Connection lost'));
  await second.getByRole('button', { name: 'Reset now' }).click();
  await eventually(() => message(second), (text) => text.startsWith('The sandbox does not answer.'));
});
