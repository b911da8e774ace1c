/** The node goes away and comes back; it asks for a key; it is not ready yet. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { kith, stopAll } from '../cli-support.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { allowLong, answered, openStage, type Stage, send, skip, visitPage } from './support.ts';

let stage: Stage;
before(async () => {
  if (!skip) stage = await openStage();
});
after(async () => {
  stopAll();
  await stage?.[Symbol.asyncDispose]();
});

/** A node in a process of its own, so that it can be killed like any program. */
async function startProcess(home: TestHome, port: number) {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const child = spawn(process.execPath, [main, 'start', '--home', home.path, '--port', String(port)], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const end = AbortSignal.timeout(60_000);
  for (;;) {
    const health = await fetch(`${url}/health`).then(
      (answer) => answer.json(),
      () => null,
    );
    if ((health as { status?: string } | null)?.status === 'ok') break;
    if (end.aborted || child.exitCode !== null) throw new Error('The node did not start.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, kill, [Symbol.asyncDispose]: kill };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const gone = 'The node went away. The answer starts again when it is back.';

test('while the node is gone the page says so and keeps the question; the answer comes when it is back', {
  skip,
}, async () => {
  await using home = await createHome();
  const port = await freePort();
  const node = await startProcess(home, port);
  await using visit = await visitPage(stage.browser, node.url);
  const { page } = visit;
  await page.getByText('is ready on this machine').waitFor();
  await node.kill();
  await page.locator('[data-banner="down"]').waitFor();
  await send(page, 'Are you there?');
  await page.getByText(gone).waitFor();
  await page
    .locator('[data-banner]')
    .getByText('The node does not answer. The answer starts again when it is back.')
    .waitFor();
  await using _again = await startProcess(home, port);
  await answered(page, 1);
  await page.locator('[data-banner]').waitFor({ state: 'detached' });
  assert.ok((await page.locator('.prose').innerText()).length > 0);
});

test('an answer that breaks in the middle starts again by itself, or not when the reader leaves it', {
  skip,
}, async () => {
  await using home = await createHome();
  const port = await freePort();
  const node = await startProcess(home, port);
  await using visit = await visitPage(stage.browser, node.url);
  const { page } = visit;
  await allowLong(page);
  const long = 'Count from 1 to 1000, one number on each line.';
  await send(page, long);
  await page.locator('.prose').waitFor();
  await node.kill();
  await page.getByText(gone).waitFor();
  const again = await startProcess(home, port);
  await page.locator('[data-state="writing"]').waitFor();
  await again.kill();
  await page.getByText(gone).waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await page.getByRole('button', { name: 'Answer again' }).first().waitFor();
  await using _third = await startProcess(home, port);
  await page.locator('[data-banner]').waitFor({ state: 'detached' });
  assert.equal(await page.locator('[data-state="lost"]').count(), 1);
});

test('a node that asks for a key gets a plain word about it', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  const refusal = { error: { code: 'invalid_api_key', message: 'This node asks for an API key.' } };
  await page.route('**/kith/v1/events', (route) => route.fulfill({ status: 401, json: refusal }));
  await page.reload();
  await page.getByText(/This node asks for an API key\. Load the page again/).waitFor();
  await page.route('**/v1/chat/completions', (route) => route.fulfill({ status: 401, json: refusal }));
  await send(page, 'Hello?');
  await page.getByRole('alert').getByText('Code invalid_api_key').waitFor();
});

/** A key made by the command line. */
async function makeKey(home: TestHome, ...scopes: string[]): Promise<string> {
  const args = ['keys', 'create', scopes.join('-'), '--scope', scopes.join(), '--home', home.path];
  const made = await kith([...args, '--json']);
  const key = /kith_[A-Za-z0-9_-]+/.exec(made.out)?.[0];
  assert.ok(key !== undefined, made.err);
  return key;
}

test('with a key as the password everything works', { skip }, async () => {
  await using home = await createHome();
  const password = await makeKey(home, 'generate', 'read');
  await using node = await startNode(home, { 'server.requireKey': true });
  await using visit = await visitPage(stage.browser, node.url, '/', {
    httpCredentials: { username: 'me', password },
  });
  const { page } = visit;
  await page.getByText('tiny is ready on this machine. It needs no internet.').waitFor();
  await send(page, 'Hello');
  await answered(page, 1);
  await page.getByRole('button', { name: 'On this machine' }).waitFor();
  assert.equal(await page.locator('[data-banner]').count(), 0);
});

test('a node that does not tell its state to one page more still answers it', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await page.route('**/kith/v1/events', (route) =>
    route.fulfill({
      status: 503,
      json: { error: { code: 'limit_reached', message: 'Enough pages follow.' } },
    }),
  );
  await page.reload();
  await page.getByText('State not shown').first().waitFor();
  await page
    .getByRole('combobox', { name: 'Model' })
    .getByText('Default model')
    .waitFor({ state: 'attached' });
  await send(page, 'Hello');
  await answered(page, 1);
  assert.equal(await page.locator('[data-banner]').count(), 0);
});

test('while the model is made ready the page says how far it is, and why when it cannot be', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await page.getByText('is ready on this machine').waitFor();
  const health = await (await page.request.get(`${stage.node.url}/health/detailed`)).json();
  const tell = async (change: object) => {
    await page.unroute('**/kith/v1/events');
    await page.route('**/kith/v1/events', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: `event: status\ndata: ${JSON.stringify({ ...health, models: [], ...change })}\n\n`,
      }),
    );
    await page.reload();
  };
  await tell({ status: 'starting', progress: { phase: 'verify', done_bytes: 250e6, total_bytes: 500e6 } });
  await page.getByText('Checking tiny').waitFor();
  await page.getByText('250 MB of 500 MB').waitFor();
  assert.equal(await page.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.position), 0.5);
  await tell({ status: 'degraded', message: "The default model 'tiny' is not ready: no disk space." });
  await page
    .getByText(/Something is wrong with the node: The default model 'tiny' is not ready: no disk space\./)
    .waitFor();
});
