// Another site in the same browser cannot read or drive the console, even if it knows its address.
//
// Each test has a positive control: the same attack succeeds against a server that lets it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import * as support from './support.mjs';
import { open, sandbox } from './support.mjs';

/** A server that lets every site in: what the attacks do to it shows that they work. */
async function careless(t) {
  const came = [];
  const server = createServer((request, response) => {
    came.push(`${request.method} ${request.url}`);
    const stream = request.url.includes('events');
    const type = request.url.endsWith('.js') ? 'text/javascript' : stream ? 'text/event-stream' : 'text/html';
    response.writeHead(200, {
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-methods': 'PATCH',
      'content-type': type,
    });
    const body = type === 'text/javascript' ? 'globalThis.loaded = true;' : stream ? 'data: 1\n\n' : '<p id="account">careless</p>';
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/control/token/console/`, came };
}

/** A server of the attacker, with an empty page. */
async function attacker(t) {
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>attack</p>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address().port;
}

/** What a page can try against an address; runs in the browser. Returns what it got hold of. */
async function attack(address) {
  const at = (path) => new URL(path, address).href;
  const got = [];
  const attempt = async (name, action) => {
    const limit = new Promise((_, reject) => setTimeout(() => reject(new Error('too long')), 3000));
    try {
      if (await Promise.race([action(), limit])) got.push(name);
    } catch {
      // Refused, which is what the console should do.
    }
  };
  await attempt('read by fetch', async () => (await fetch(at('../accounts'))).ok);
  await attempt('reset by fetch', async () => (await fetch(at('../reset'), { method: 'POST', body: '{}' })).ok);
  await attempt('change by fetch', async () => (await fetch(at('../accounts/12345'), { method: 'PATCH', body: '{}' })).ok);
  await attempt('blind reset', async () => {
    await fetch(at('../reset?blind'), { method: 'POST', mode: 'no-cors', body: '{}' });
    return false;
  });
  await attempt('events', () => new Promise((resolve, reject) => {
    const source = new EventSource(at('../events'));
    source.onmessage = () => resolve(true) ?? source.close();
    source.onerror = () => reject(new Error('refused')) ?? source.close();
  }));
  await attempt('script', () => new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.type = 'module';
    script.src = at('model.js');
    script.onload = () => resolve(true);
    script.onerror = reject;
    document.head.append(script);
  }));
  await attempt('form', async () => {
    const target = document.createElement('iframe');
    target.name = 'target';
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: at('../reset?form'), enctype: 'text/plain', target: 'target' });
    document.body.append(target, form);
    form.submit();
    await new Promise((resolve) => (target.onload = resolve));
    return false;
  });
  return got;
}

/** What a frame with the page shows; the browser's own page about a refusal shows nothing of it. */
async function framed(page, address) {
  await page.evaluate((address) => {
    const frame = document.createElement('iframe');
    frame.src = address;
    document.body.append(frame);
    return new Promise((resolve) => (frame.onload = resolve));
  }, address);
  const frame = page.frames().at(-1);
  return frame.locator('#account').count();
}

const ATTACKS = ['read by fetch', 'reset by fetch', 'change by fetch', 'events', 'script'];

test('another site, and another port of this machine, get nothing and change nothing', async (t) => {
  const box = await sandbox(t);
  const open_server = await careless(t);
  const port = await attacker(t);
  const browser = await support.browser(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
  t.after(() => browser.close());
  const state = async () => JSON.stringify(await box.control('GET', 'accounts'));
  const before = await state();
  for (const origin of [`http://evil.example:${port}`, `http://127.0.0.1:${port}`, `http://localhost:${port}`]) {
    const page = await browser.newPage();
    await page.goto(origin);
    assert.deepEqual(await page.evaluate(attack, box.console_url), [], origin);
    assert.equal(await framed(page, box.console_url), 0);
    assert.equal(await state(), before, origin);
    open_server.came.length = 0;
    assert.deepEqual(await page.evaluate(attack, open_server.url), ATTACKS, 'the control: the attacks work');
    assert.equal(await framed(page, open_server.url), 1);
    for (const path of ['reset?blind', 'reset?form']) assert.ok(open_server.came.includes(`POST /control/token/${path}`), path);
    await page.close();
  }
});

test('a name that is rebound to this machine reaches nothing', async (t) => {
  const box = await sandbox(t);
  const { port, pathname } = new URL(box.console_url);
  const browser = await support.browser(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
  t.after(() => browser.close());
  const page = await browser.newPage();
  const statusAt = async (host) => (await page.goto(`http://${host}:${port}${pathname}`)).status();
  assert.equal(await statusAt('evil.example'), 403);
  // The page of the rebound name has the origin of the console's port: only Host differs.
  const statuses = () => page.evaluate(async () => {
    const status = async (path, method) => (await fetch(`../${path}`, { method })).status;
    return [await status('accounts', 'GET'), await status('reset', 'POST'), await status('console/main.js', 'GET')];
  });
  assert.deepEqual(await statuses(), [403, 403, 403]);
  assert.equal(await statusAt('127.0.0.1'), 200, 'the control: by its own name');
  assert.deepEqual(await statuses(), [200, 200, 200]);
});

test('the policy stops a script and a connection that the page does not bring along', async (t) => {
  const box = await sandbox(t);
  const outside = await careless(t);
  const browser = await support.browser();
  t.after(() => browser.close());
  const inject = (page) => page.evaluate(async (address) => {
    const inline = document.createElement('script');
    let written = true;
    try {
      inline.textContent = 'globalThis.inline = true';
      document.head.append(inline);
    } catch {
      written = false;
    }
    let connected = true;
    try {
      await fetch(address);
    } catch {
      connected = false;
    }
    return { inline: Boolean(globalThis.inline) && written, connected };
  }, outside.url);
  assert.deepEqual(await inject(await open(t, browser, box)), { inline: false, connected: false });
  const free = await browser.newPage();
  await free.goto(outside.url);
  assert.deepEqual(await inject(free), { inline: true, connected: true }, 'the control: without the policy');
});
