import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { createClient } from '@redis/client';
import { createLogger, createManualClock, silentLogger, systemClock } from '../../base/index.ts';
import { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
import { keyNamed, stored } from './testing/examples.ts';

const binary = ['valkey-server', 'redis-server'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);
const skip = binary === undefined ? 'neither valkey-server nor redis-server is installed' : false;

const servers = new Set<ChildProcess>();
after(() => {
  for (const server of servers) server.kill('SIGKILL');
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

async function startServer(port: number): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn(binary!, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  servers.add(server);
  let said = '';
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (/Ready to accept connections/i.test(said)) break;
  }
  server.stdout.resume();
  return server;
}

async function stop(server: ChildProcess): Promise<void> {
  server.kill('SIGKILL');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  servers.delete(server);
}

/** A client of our own, to see what the store did. */
async function look(port: number) {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const open = (port: number, changes: Partial<RedisStoreOptions> = {}) =>
  createRedisStore({
    url: `redis://127.0.0.1:${port}`,
    // A busy machine must not make a test of something else miss.
    limitMs: 5000,
    clock: systemClock,
    log: silentLogger,
    ...changes,
  });

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

test('answers are kept under the namespace, as long as the server is told', { skip }, async () => {
  const port = await freePort();
  const server = await startServer(port);
  const client = await look(port);
  try {
    const now = systemClock.now();
    await using store = await open(port, { namespace: 'n*de', keepStaleMs: 10_000, maxAnswerBytes: 1000 });
    assert.equal(await store.get(keyNamed('a')), null);
    const kept = stored('héllo', now, 60_000);
    assert.ok((await store.put(keyNamed('a'), kept)) > 0);
    assert.deepEqual(await store.get(keyNamed('a')), kept);
    const keys = await client.keys('*');
    assert.equal(keys.length, 1);
    assert.ok(keys[0]!.startsWith('n*de:answer:1:'));
    const left = await client.pTTL(keys[0]!);
    assert.ok(left > 60_000 && left <= 70_000, String(left));

    // What is too large is not kept, and not read when somebody else put it there.
    assert.equal(await store.put(keyNamed('b'), stored('x'.repeat(1000), now)), 0);
    await client.set(keys[0]!, 'x'.repeat(1_000_000));
    assert.equal(await store.get(keyNamed('a')), null);
    await client.set(keys[0]!, 'K1 no answer');
    assert.equal(await store.get(keyNamed('a')), null);
    await client.del(keys[0]!);
    await client.lPush(keys[0]!, 'a list');
    assert.equal(await store.get(keyNamed('a')), null);
    await store.remove(keyNamed('a'));
    assert.equal(await client.exists(keys[0]!), 0);
  } finally {
    client.destroy();
    await stop(server);
  }
});

test('clearing takes the answers of this namespace only: all, by model, by age', { skip }, async () => {
  const port = await freePort();
  const server = await startServer(port);
  const client = await look(port);
  try {
    const now = systemClock.now();
    await using store = await open(port, { namespace: 'n*de' });
    await client.set('node:answer:1:other', 'theirs');
    for (const model of ['small', 'large']) {
      await store.put(keyNamed('old', model), stored('x', now - 50_000));
      await store.put(keyNamed('new', model), stored('x', now));
    }
    assert.equal(await store.clear({ model: 'small', olderThanMs: 25_000 }), 1);
    assert.equal(await store.get(keyNamed('old', 'small')), null);
    assert.ok(await store.get(keyNamed('new', 'small')));
    assert.equal(await store.clear({ model: 'small' }), 1);
    assert.equal(await store.clear({}), 2);
    assert.deepEqual(await client.keys('*'), ['node:answer:1:other']);
  } finally {
    client.destroy();
    await stop(server);
  }
});

test('a server that goes away is an empty cache with one line a minute, and is used when it is back', {
  skip,
}, async () => {
  const port = await freePort();
  let server = await startServer(port);
  const lines: string[] = [];
  const log = createLogger({ env: {}, stderr: { write: (line: string) => lines.push(line) } });
  const clock = createManualClock(systemClock.now());
  const store = await open(port, { clock, log });
  try {
    const kept = stored('x', clock.now());
    assert.ok((await store.put(keyNamed('a'), kept)) > 0);
    await stop(server);
    await until(async () => lines.length > 0);
    for (let i = 0; i < 50; i++) {
      assert.equal(await store.get(keyNamed('a')), null);
      assert.equal(await store.put(keyNamed('a'), kept), 0);
    }
    await assert.rejects(store.clear({}), { code: 'cache_unavailable', status: 503 });
    assert.equal(lines.length, 1, lines.join(''));
    assert.match(lines[0]!, /requests go on without it/);
    await clock.advance(60_000);
    assert.equal(await store.get(keyNamed('a')), null);
    assert.equal(lines.length, 2);

    server = await startServer(port);
    await until(async () => (await store.put(keyNamed('a'), kept)) > 0);
    assert.deepEqual(await store.get(keyNamed('a')), kept);
  } finally {
    await store.close();
    await stop(server);
  }
});

test('a server that hangs holds a request for the limit, then none until it is tried again', {
  skip,
}, async () => {
  const port = await freePort();
  const server = await startServer(port);
  const clock = createManualClock(systemClock.now());
  const store = await open(port, { clock, limitMs: 200 });
  try {
    const kept = stored('x', clock.now());
    await until(async () => {
      await clock.advance(1000);
      return (await store.put(keyNamed('a'), kept)) > 0;
    });
    server.kill('SIGSTOP');
    // The first waits in vain; the others do not even ask.
    for (let i = 0; i < 100; i++) assert.equal(await store.get(keyNamed('a')), null);
    server.kill('SIGCONT');
    const client = await look(port);
    const asked = /cmdstat_getrange:calls=(\d+)/.exec(await client.info('commandstats'))?.[1];
    client.destroy();
    assert.equal(asked, '1');
    await until(async () => {
      await clock.advance(1000);
      return (await store.get(keyNamed('a'))) !== null;
    });
  } finally {
    server.kill('SIGCONT');
    await store.close();
    await stop(server);
  }
});

test('no server at the start is an empty cache, and a wrong address an error that hides its password', async () => {
  await using store = await open(await freePort(), { limitMs: 50 });
  assert.equal(await store.get(keyNamed('a')), null);
  assert.equal(await store.put(keyNamed('a'), stored('x')), 0);
  await assert.rejects(open(1, { url: 'http://user:secret@host' }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'redis_url_invalid');
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
