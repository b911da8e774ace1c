import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createLogger, createManualClock } from '../../base/index.ts';
import type { Alert } from './types.ts';
import { createWebhook, signature } from './webhook.ts';

const alert: Alert = {
  id: 'alert-1',
  rule: 'memory',
  severity: 'warning',
  state: 'firing',
  message: 'Much.',
  value: 2,
  threshold: 1,
  unit: 'bytes',
  since: '2026-01-01T00:00:00.000Z',
  until: null,
};

interface Got {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real receiver; `answer` says what the nth request gets. */
async function setUp(t: TestContext, answer: (n: number, response: ServerResponse) => void, secret = '') {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push({ headers: request.headers, body });
    answer(got.length, response);
    server.emit('got');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = createManualClock();
  let text = '';
  const log = createLogger({ env: {}, stderr: { write: (line) => (text += line) } });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=HOOKKEY9`;
  const webhook = createWebhook({ url, secret, version: '1.2.3', clock, log });
  t.after(async () => {
    await webhook.close(0);
    server.closeAllConnections();
    server.close();
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  /** Passes the pauses between attempts until the receiver has seen so many. */
  const requests = (count: number) =>
    until(() => {
      if (clock.sleeping > 0) void clock.advance(60_000);
      return got.length >= count;
    });
  return { webhook, got, clock, until, requests, logged: () => text };
}

test('a notification is signed over its time and body', async (t) => {
  const { webhook, got, requests } = await setUp(t, (_, response) => response.end(), 'sesame');
  webhook.send(alert, false);
  await requests(1);
  await webhook.close(1000);
  const { headers, body } = got[0]!;
  assert.deepEqual(JSON.parse(body), {
    type: 'kith.alert',
    version: 1,
    again: false,
    alert,
    node: { version: '1.2.3' },
  });
  assert.equal(headers['x-kith-signature'], signature('sesame', String(headers['x-kith-timestamp']), body));
  assert.match(signature('k', '1', 'b'), /^sha256=[0-9a-f]{64}$/);
  assert.equal(headers['x-kith-delivery'], 'alert-1-firing');
  assert.equal(webhook.failures, 0);
});

test('failures are tried again with the same id, in order, and given up after four attempts', async (t) => {
  const { webhook, got, requests, until, logged } = await setUp(t, (n, response) => {
    response.statusCode = n === 1 ? 500 : n === 2 ? 429 : n === 3 ? 200 : 503;
    response.end();
  });
  webhook.send(alert, false);
  webhook.send({ ...alert, state: 'resolved' }, false);
  await requests(7);
  await until(() => webhook.failures === 1);
  assert.deepEqual(
    got.map(({ headers }) => headers['x-kith-delivery']),
    [...Array(3).fill('alert-1-firing'), ...Array(4).fill('alert-1-resolved')],
  );
  assert.match(logged(), /status 503/);
  assert.ok(!logged().includes('HOOKKEY9'));
});

test('a redirect is not followed, and what the receiver refuses is not tried again', async (t) => {
  const { webhook, got, until } = await setUp(t, (n, response) => {
    response.writeHead(n === 1 ? 307 : 400, { location: '/elsewhere' }).end();
  });
  webhook.send(alert, false);
  await until(() => webhook.failures === 1);
  webhook.send(alert, true);
  await until(() => webhook.failures === 2);
  assert.equal(got.length, 2);
  assert.match(got[1]!.headers['x-kith-delivery'] as string, /^alert-1-firing-\d+$/);
});

test('a receiver that is away or hangs holds up nobody; the queue is bounded; the end is within its time', async (t) => {
  const { webhook, requests, logged } = await setUp(t, () => {});
  for (let n = 0; n < 80; n++) webhook.send({ ...alert, id: `alert-${n}` }, false);
  await requests(1);
  assert.equal(webhook.failures, 30);
  assert.match(logged(), /more than 50 notifications wait/);
  await webhook.close(10);
  assert.equal(webhook.failures, 80);
  webhook.send(alert, false);
});

test('an address where nobody listens is tried again, and the log does not show it', async () => {
  const clock = createManualClock();
  let text = '';
  const log = createLogger({ env: {}, stderr: { write: (line) => (text += line) } });
  const webhook = createWebhook({ url: 'http://127.0.0.1:9/HOOKKEY9', secret: '', version: '1', clock, log });
  webhook.send(alert, false);
  while (webhook.failures === 0) {
    if (clock.sleeping > 0) void clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(webhook.failures, 1);
  assert.match(text, /ECONNREFUSED|bad port|fetch failed/i);
  assert.ok(!text.includes('HOOKKEY9'));
  await webhook.close(0);
});
