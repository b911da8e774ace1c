import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { AbortedError, systemClock } from '../../base/index.ts';
import { createUpstream, type UpstreamOptions } from './client.ts';
import { UpstreamError } from './errors.ts';
import type { AnswerHandler } from './wire/index.ts';

const upstreamOf = (baseUrl: string, more: Partial<UpstreamOptions> = {}) =>
  createUpstream({ baseUrl, clock: systemClock, ...more });
const post = (signal = new AbortController().signal) =>
  ({ method: 'POST', path: '/x', body: { a: 1 }, signal }) as const;

/** The error that a passed request is told. */
function passed(upstream: ReturnType<typeof upstreamOf>): Promise<Error> {
  return new Promise((resolve, reject) => {
    const never = () => reject(new Error('It was sent.'));
    const handler: AnswerHandler = {
      onWaiting() {},
      onRequestStart: never,
      onResponseStart: never,
      onResponseData: never,
      onResponseEnd: never,
      onResponseError: resolve,
    };
    upstream.pass('/x', Buffer.from('{}'), '*/*', handler);
  });
}

test('A certificate or a key that cannot be read is told as a failed connection, each time, and nobody waits for it', async () => {
  for (const tls of [{ cert: 'no certificate', key: 'no key' }, { key: 'no key' }]) {
    await using upstream = upstreamOf('https://127.0.0.1:1', { tls });
    for (let i = 0; i < 3; i++) {
      await assert.rejects(
        upstream.json(post()),
        (error) => error instanceof UpstreamError && error.code === 'upstream_connect_failed',
      );
      assert.match(String(((await passed(upstream)) as NodeJS.ErrnoException).code), /^ERR_OSSL/);
    }
    assert.deepEqual(upstream.connections(), { open: 0, busy: 0 });
  }
});

test('A credential that no header holds is told to whoever passes a request, and not thrown', async () => {
  await using upstream = upstreamOf('http://127.0.0.1:1', {
    secretHeaders: { authorization: 'Bearer “planted”' },
  });
  const error = (await passed(upstream)) as UpstreamError;
  assert.equal(error.code, 'upstream_connect_failed');
  assert.ok(!error.message.includes('planted'));
});

test('A request that is given up while it waits for a connection is forgotten at once, and others keep their place', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await using upstream = upstreamOf(`http://127.0.0.1:${port}`, { maxConnections: 1 });
  const answer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
  const first = upstream.json(post());
  const leaving = new AbortController();
  const left = Array.from({ length: 20 }, () => upstream.json(post(leaving.signal)));
  const last = upstream.json(post());
  assert.equal(upstream.connections().busy, 22);
  leaving.abort();
  assert.equal(upstream.connections().busy, 2);
  for (const one of left) await assert.rejects(one, AbortedError);
  let seen = 0;
  const serve = (socket: Socket) =>
    socket.on('data', () => {
      seen++;
      socket.write(answer);
    });
  for (const socket of sockets) serve(socket);
  server.on('connection', serve);
  await Promise.all([first, last]);
  assert.equal(seen, 2);
  assert.deepEqual(upstream.connections(), { open: 1, busy: 0 });
  server.close();
});
