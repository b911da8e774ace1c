/** A real node with a real command line: keys made beside it, asked for on loopback, over TLS, and never in its logs. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLogger } from '../../src/base/index.ts';
import { createNode, type Node } from '../../src/node/index.ts';
import { kith as run, kithProcess as runProcess, stopAll } from '../cli-support.ts';
import { configOf, createHome, type TestHome } from '../node-support.ts';
import { chatPath } from './support.ts';

const certificates = join(import.meta.dirname, 'certificates');

const kith = (...args: string[]) => run([...args, '--home', home.path]);
/** In a process of its own: what it changes, the next finds on the disk only. */
const kithProcess = (...args: string[]) => runProcess([...args, '--home', home.path]);

let home: TestHome;
before(async () => {
  home = await createHome();
});
after(async () => {
  stopAll();
  await home.remove();
});

/** The node in this process, with a log file at the level that says most. */
async function withNode(flags: Record<string, unknown>, work: (node: Node) => Promise<void>): Promise<void> {
  const log = createLogger({
    level: 'trace',
    stderr: null,
    file: { dir: join(home.path, 'logs'), maxBytes: 10_000_000, keep: 2 },
  });
  const node = await createNode({ config: configOf(home, flags), log, version: '0.0.0-test' });
  try {
    await node.ready;
    await work(node);
  } finally {
    await node.close();
    await log.close();
  }
}

test('without a key it does not listen wider, and says what to do', async () => {
  const { code, err } = await kith('start', '--host', '0.0.0.0');
  assert.equal(code, 2);
  assert.match(err, /kith keys create/);
  const half = await kith('start', '--server-tls-cert', join(certificates, 'first.pem'));
  assert.equal(half.code, 2);
  assert.match(half.err, /server\.tlsKey is not set/);
});

test('keys are made, listed, given new secrets and revoked beside a running node, and count at once', async () => {
  await withNode({ 'server.requireKey': true }, async (node) => {
    const models = async (key: string) =>
      (await fetch(`${node.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
    const made = await kithProcess('keys', 'create', 'phone', '--scope', 'read,embed', '--expires', '30d');
    assert.equal(made.code, 0, made.err);
    const key = made.out.trim();
    assert.match(key, /^kith_[0-9a-z]{10}_\w{43}$/);
    assert.equal(await models(key), 200);
    const listed = await kith('keys', 'list', '--json');
    const [entry] = JSON.parse(listed.out) as { id: string; name: string; scopes: string[]; state: string }[];
    assert.deepEqual([entry!.name, entry!.scopes, entry!.state], ['phone', ['embed', 'read'], 'usable']);
    assert.ok(!listed.out.includes(key.slice(-43)));
    const rotated = await kith('keys', 'rotate', entry!.id, '--grace', '1h', '--json');
    const fresh = (JSON.parse(rotated.out) as { key: string }).key;
    assert.deepEqual([await models(key), await models(fresh)], [200, 200]);
    assert.equal((await kithProcess('keys', 'revoke', entry!.id)).code, 0);
    assert.deepEqual([await models(key), await models(fresh)], [401, 401]);
    assert.equal((await kith('keys', 'rotate', entry!.id)).code, 1);
    assert.match((await kith('keys', 'list')).out, /phone[\s\S]*revoked/);
  });
  for (const args of [
    ['--scope', 'control'],
    ['--expires', 'soon'],
    ['--expires', '101y'],
  ])
    assert.equal((await kith('keys', 'create', 'k', ...args)).code, 2, args.join(' '));
  assert.equal((await kith('keys', 'revoke', 'nonsense')).code, 1);
});

test('the command line needs no key of its own node, plain or over TLS', async () => {
  const tls = {
    'server.tlsCert': join(certificates, 'first.pem'),
    'server.tlsKey': join(certificates, 'first-key.pem'),
  };
  await kith('keys', 'create', 'needed to listen wider');
  for (const flags of [{ 'server.requireKey': true }, { ...tls, 'server.host': '0.0.0.0' }]) {
    await withNode(flags, async (node) => {
      assert.equal((await kith('status')).code, 0);
      const answer = await kithProcess('run', 'Say hi.', '--max-tokens', '4', '--json');
      assert.equal(answer.code, 0, answer.err);
      const { usage } = JSON.parse(answer.out) as { usage: { completion_tokens: number } };
      assert.ok(usage.completion_tokens > 0);
      assert.equal(node.url.startsWith('https:'), 'server.tlsCert' in flags);
    });
  }
});

test('no key stands in a log, whatever its request was like', async () => {
  const { out } = await kith('keys', 'create', 'planted');
  const key = out.trim();
  const secret = key.slice(-43);
  let token = '';
  await withNode({}, async (node) => {
    token = (JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')) as { token: string })
      .token;
    const basic = Buffer.from(`kith:${key}`).toString('base64');
    const ask = (headers: Record<string, string>, path = chatPath) =>
      fetch(node.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ messages: [{ role: 'user', content: `My key is ${key}.` }], max_tokens: 2 }),
      }).then((response) => response.text());
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { 'x-api-key': key },
      { authorization: `Basic ${basic}` },
      { authorization: `Bearer ${token}` },
      { authorization: `Bearer ${key.slice(0, -1)}` },
      { authorization: `Bearer ${key}x` },
      { 'x-kith-agent': key },
      { cookie: `key=${key}` },
    ])
      await ask(headers);
    await ask({}, `/v1/models/${key}`);
    await ask({}, `/${key}?api_key=${key}`);
    await ask({ host: key, 'user-agent': key, origin: `http://${key}` });
  });
  const logs = join(home.path, 'logs');
  const names = await readdir(logs);
  assert.ok(names.includes('kith.log'));
  for (const name of names) {
    const content = await readFile(join(logs, name), 'latin1');
    assert.ok(content.length > 0, name);
    assert.ok(!content.includes(secret.slice(0, -1)), `a secret stands in ${name}`);
    assert.ok(!content.includes(token), `the run token stands in ${name}`);
    assert.ok(
      !content.includes(Buffer.from(`kith:${key}`).toString('base64')),
      `basic credentials stand in ${name}`,
    );
  }
  for (const file of ['keys.sqlite', 'keys.sqlite-wal']) {
    const path = join(home.path, 'server', file);
    const content = await readFile(path, 'latin1').catch(() => '');
    assert.ok(!content.includes(secret));
    if (content !== '') assert.equal((await stat(path)).mode & 0o777, 0o600);
  }
});
