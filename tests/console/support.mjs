// What the tests of the console share: a sandbox, a browser, clients and a receiver of webhooks. Everything runs on loopback, and
// each test stops what it started.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

/** How long anything may take before a test counts as failed. */
export const PATIENCE = 60_000;

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run cargo test -p justcall-auth-sandbox --test console`);
  return value;
}

/** What Chromium lacks in a container: the rights for its sandbox of processes, and room in /dev/shm. */
const CONTAINER = ['--no-sandbox', '--disable-dev-shm-usage'];

/** Starts Chromium. */
export function browser(args = []) {
  return chromium.launch({ executablePath: needed('JUSTCALL_CHROMIUM'), args: [...CONTAINER, ...args] });
}

/** Starts a sandbox with a console, ended with the test. */
export async function sandbox(t, args = []) {
  const child = spawn(needed('JUSTCALL_SANDBOX_BIN'), ['--console', '--until-stdin-closes', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const ready = JSON.parse(line);
  const ca = ready.ca_file && readFileSync(ready.ca_file);
  const control = async (method, path, body) => {
    const url = new URL(`../${path}`, ready.console_url);
    const response = await fetch(url, { method, body: body && JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    return answer;
  };
  return { ...ready, ca, control, child };
}

/** Opens the console in a new context of the browser. A message of the browser about an error fails the test. */
export async function open(t, browser, sandbox, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 1000 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(sandbox.console_url);
  await page.getByText('Live', { exact: true }).waitFor();
  return page;
}

/** Waits until a text that a function returns matches. */
export async function eventually(read, holds) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`the condition never held; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Returns how many requests the record holds. */
export const recorded = async (sandbox) => (await sandbox.control('GET', 'requests')).length;

/** Makes so many calls over one connection each of a few, as fast as they are answered. */
export async function calls(sandbox, count, { path = '/v2.1/users?per_page=1', pair = `${sandbox.api_key}:${sandbox.api_secret}` } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: sandbox.ca });
  const one = () =>
    new Promise((resolve, reject) => {
      const headers = { authorization: pair, 'x-justcall-client': 'load/1.0' };
      request(new URL(path, sandbox.url), { agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      })
        .on('error', reject)
        .end();
    });
  let left = count;
  const statuses = [];
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      statuses.push(await one());
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  agent.destroy();
  return statuses;
}

/** A folder that is removed with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'justcall-console-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs the real command; returns its exit status and what it printed. */
export async function command(args, environment = {}) {
  const child = spawn(needed('JUSTCALL_CLI'), args, { env: { PATH: process.env.PATH, ...environment } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const [code] = await once(child, 'close');
  return { code, text };
}

/** Lets the real command call again and again with the pair of a file, until the test ends. */
export function load(t, sandbox) {
  const file = join(folder(t), 'pair');
  const write = (pair) => writeFileSync(file, `${pair.api_key}:${pair.api_secret}\n`);
  write(sandbox);
  let running = true;
  const done = (async () => {
    const places = ['--source', `file:${file}`, '--base-url', sandbox.url, '--ca-file', sandbox.ca_file];
    while (running) await command(['request', 'GET', '/v2.1/calls', ...places]);
  })();
  t.after(() => {
    running = false;
    return done;
  });
  return { write };
}

const pictures = process.env.JUSTCALL_PICTURES;

/** The pictures of the documentation, taken where the environment names a folder for them. */
export const picture = {
  /** Lets time pass, so that the chart has something to show. */
  seconds: (count) => pictures && new Promise((resolve) => setTimeout(resolve, count * 1000)),

  /** Takes what is in view with an element at the top; without an element, the whole page. */
  async take(page, element, name) {
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await page.evaluate((element) => (element ? document.querySelector(element).scrollIntoView() : scrollTo(0, 0)), element);
    await page.screenshot({ path: join(pictures, name), fullPage: !element });
  },
};

/** A receiver of webhooks, which answers with these statuses and then with 200. */
export async function receiver(t, statuses = []) {
  const came = [];
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (data) => (body += data));
    incoming.on('end', () => {
      came.push({ headers: incoming.headers, body });
      response.writeHead(statuses.shift() ?? 200).end('thanks');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/hooks/justcall`, came };
}
