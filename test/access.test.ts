/** Keys, scopes, rates, hosts and origins: on real sockets, with a real key file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, systemClock, systemRandom } from '../src/base/index.ts';
import { type KeyScope, keyScopes, keyStorePath, openKeyStore, usualScopes } from '../src/server/index.ts';
import {
  chatBody,
  chatPath,
  errorCode,
  openServer,
  raw,
  runToken,
  type TestServer,
} from './security/support.ts';

const json = { 'content-type': 'application/json' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const ask = (node: TestServer, headers: Record<string, string> = {}) =>
  fetch(node.url + chatPath, { method: 'POST', headers: { ...json, ...headers }, body: chatBody });
const noLimits = { expiresAt: null, requestsPerMinute: null, tokensPerMinute: null };
const newKey = (node: TestServer, extra: object = {}) =>
  node.keys.create({ name: 'test', scopes: keyScopes, ...noLimits, ...extra });
const wrong = `kith_${'0'.repeat(10)}_${'A'.repeat(43)}`;

test('on loopback nobody needs a key, and what is no key of a node is ignored', async () => {
  await using node = await openServer();
  assert.equal((await ask(node)).status, 200);
  for (const habit of ['ollama', 'sk-no-key-required', 'lm-studio', 'EMPTY'])
    assert.equal((await ask(node, bearer(habit))).status, 200, habit);
});

test('a key that is sent must be right, wherever it stands', async () => {
  await using node = await openServer();
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  for (const headers of [
    bearer(node.key),
    { authorization: `bearer  ${node.key}` },
    { 'x-api-key': node.key },
    basic(`kith:${node.key}`),
    basic(`${node.key}:`),
    { 'x-api-key': node.key, authorization: 'Bearer placeholder' },
  ])
    assert.equal((await ask(node, headers)).status, 200, JSON.stringify(headers));
  for (const headers of [bearer(wrong), { 'x-api-key': wrong }, basic(`kith:${wrong}`), bearer('kith_short')])
    assert.equal(await errorCode(await ask(node, headers)), '401 invalid_api_key', JSON.stringify(headers));
  assert.equal(await errorCode(await ask(node, bearer(`${node.key}x`))), '401 invalid_api_key');
});

test('requireKey asks for a key on loopback too, and every route says so', async () => {
  await using node = await openServer({ access: { requireKey: true } });
  for (const path of ['/health', '/v1/models', '/nowhere', '/'])
    assert.equal(await errorCode(await fetch(node.url + path)), '401 missing_api_key', path);
  assert.equal(await errorCode(await ask(node, bearer('ollama'))), '401 invalid_api_key');
  assert.equal((await ask(node, bearer(node.key))).status, 200);
  assert.equal((await fetch(`${node.url}/nowhere`, { headers: bearer(node.key) })).status, 404);
});

test('a browser is asked for a password, a program for a bearer', async () => {
  await using node = await openServer({ access: { requireKey: true } });
  const challenge = async (accept: string) =>
    (await fetch(`${node.url}/v1/models`, { headers: { accept } })).headers.get('www-authenticate');
  assert.equal(await challenge('text/html,application/xhtml+xml'), 'Basic realm="Kith"');
  assert.equal(await challenge('application/json'), 'Bearer realm="Kith"');
});

test('the run token is the owner, whatever keys are asked for', async () => {
  await using node = await openServer({ access: { requireKey: true, requestsPerMinute: 1 } });
  for (let i = 0; i < 3; i++) assert.equal((await ask(node, bearer(runToken))).status, 200);
  const state = (headers: Record<string, string>) => fetch(`${node.url}/kith/v1/status`, { headers });
  assert.equal((await state(bearer(runToken))).status, 200);
  assert.equal(await errorCode(await state(bearer(node.key))), '401 invalid_token');
  assert.equal(await errorCode(await state({})), '401 invalid_token');
});

test('a key opens the routes of its scopes only', async () => {
  await using node = await openServer();
  const requests: Record<KeyScope, (headers: Record<string, string>) => Promise<Response>> = {
    generate: (headers) => ask(node, headers),
    embed: (headers) =>
      fetch(`${node.url}/v1/embeddings`, {
        method: 'POST',
        headers: { ...json, ...headers },
        body: '{"input":"a"}',
      }),
    read: (headers) => fetch(`${node.url}/v1/models`, { headers }),
    monitor: (headers) => fetch(`${node.url}/health/detailed`, { headers }),
    // This server keeps no knowledge bases: who is let in is told that.
    knowledge: (headers) => fetch(`${node.url}/api/rag/v1/models`, { headers }),
    ingest: (headers) => fetch(`${node.url}/api/rag/v1/ingest/notes/1`, { headers }),
  };
  for (const scope of keyScopes) {
    const { text } = newKey(node, { scopes: [scope] });
    for (const [route, send] of Object.entries(requests)) {
      const response = await send(bearer(text));
      if (route === scope)
        assert.equal(
          response.status,
          route === 'knowledge' || route === 'ingest' ? 404 : 200,
          `${scope} on ${route}`,
        );
      else assert.equal(await errorCode(response), '403 scope_missing', `${scope} on ${route}`);
    }
  }
});

test('knowledge bases ask for a key on loopback too, and usual keys do not open them', async () => {
  await using node = await openServer();
  const models = (headers: Record<string, string>) => fetch(`${node.url}/api/rag/v1/models`, { headers });
  assert.equal(await errorCode(await models({})), '401 missing_api_key');
  assert.equal(await errorCode(await models(bearer('sk-none'))), '401 invalid_api_key');
  const usual = newKey(node, { scopes: usualScopes });
  assert.equal(await errorCode(await models(bearer(usual.text))), '403 scope_missing');
  assert.throws(() => newKey(node, { scopes: ['knowledge'], kbs: ['No,tes'] }), { code: 'kb_name_invalid' });
  const { key } = newKey(node, { scopes: ['knowledge'], kbs: ['notes', 'notes', 'post'] });
  assert.deepEqual(node.keys.list().find(({ id }) => id === key.id)!.kbs, ['notes', 'post']);
});

test('what another process does to the keys counts at once', async () => {
  await using node = await openServer({ access: { requireKey: true } });
  using other = openKeyStore(node.home, { clock: systemClock, random: systemRandom });
  const made = other.create({ name: 'late', scopes: ['generate'], ...noLimits });
  assert.equal((await ask(node, bearer(made.text))).status, 200);
  const { text } = other.rotate(made.key.id, 0);
  assert.equal(await errorCode(await ask(node, bearer(made.text))), '401 invalid_api_key');
  assert.equal((await ask(node, bearer(text))).status, 200);
  other.revoke(made.key.id);
  const response = await ask(node, bearer(text));
  assert.match(await response.text(), /was revoked/);
});

test('a key ends when it expires, and an old secret with its grace time', async () => {
  const clock = createManualClock();
  await using node = await openServer({ clock, access: { requireKey: true } });
  const short = newKey(node, { expiresAt: clock.now() + 60_000 });
  const rotated = newKey(node);
  const fresh = node.keys.rotate(rotated.key.id, 60_000);
  for (const { text } of [short, rotated, fresh]) assert.equal((await ask(node, bearer(text))).status, 200);
  await clock.advance(60_000);
  assert.match(await (await ask(node, bearer(short.text))).text(), /has expired/);
  assert.equal(await errorCode(await ask(node, bearer(rotated.text))), '401 invalid_api_key');
  assert.equal((await ask(node, bearer(fresh.text))).status, 200);
  assert.throws(() => node.keys.rotate(short.key.id, 0), /has expired/);
});

test('when a key was last used is noted, once a minute', async () => {
  const clock = createManualClock();
  await using node = await openServer({ clock });
  const used = () => node.keys.list()[0]!.lastUsedAt;
  assert.equal(used(), null);
  const first = clock.now();
  await ask(node, bearer(node.key));
  assert.equal(used(), first);
  await clock.advance(59_000);
  await ask(node, bearer(node.key));
  assert.equal(used(), first);
  await clock.advance(1_000);
  await ask(node, bearer(node.key));
  assert.equal(used(), first + 60_000);
});

test('requests per minute are held per key, with the standard headers', async () => {
  const clock = createManualClock();
  await using node = await openServer({ clock });
  const slow = newKey(node, { requestsPerMinute: 2 });
  const rate = (response: Response) =>
    ['limit', 'remaining', 'reset'].map((what) => response.headers.get(`x-ratelimit-${what}-requests`));
  assert.deepEqual(rate(await ask(node, bearer(slow.text))), ['2', '1', '30s']);
  assert.deepEqual(rate(await ask(node, bearer(slow.text))), ['2', '0', '1m0s']);
  const refused = await ask(node, bearer(slow.text));
  assert.deepEqual(rate(refused), ['2', '0', '1m0s']);
  assert.equal(refused.headers.get('retry-after'), '30');
  assert.equal(refused.headers.get('retry-after-ms'), '30000');
  assert.equal(await errorCode(refused), '429 rate_limit_exceeded');
  // Looking at models takes no model's time.
  assert.equal((await fetch(`${node.url}/v1/models`, { headers: bearer(slow.text) })).status, 200);
  assert.equal((await ask(node, bearer(node.key))).status, 200);
  assert.equal((await ask(node)).status, 200);
  await clock.advance(30_000);
  assert.equal((await ask(node, bearer(slow.text))).status, 200);
  assert.equal((await ask(node, bearer(slow.text))).status, 429);
});

test('tokens per minute are charged as answers are made: prompt, answer and embeddings', async () => {
  const clock = createManualClock();
  await using node = await openServer({ clock });
  const { text } = newKey(node, { tokensPerMinute: 60 });
  const left = (response: Response) => Number(response.headers.get('x-ratelimit-remaining-tokens'));
  assert.equal(left(await ask(node, bearer(text))), 60);
  // 7 of the prompt and 3 of the answer.
  assert.equal(left(await ask(node, bearer(text))), 50);
  const embed = () =>
    fetch(`${node.url}/v1/embeddings`, {
      method: 'POST',
      headers: { ...json, ...bearer(text) },
      body: JSON.stringify({ input: Array.from({ length: 10 }, () => 'a') }),
    });
  // Anything left lets a request in; what it takes beyond is made up for before the next one.
  assert.equal(left(await embed()), 40);
  const refused = await embed();
  assert.equal(refused.headers.get('retry-after'), '11');
  assert.equal(await errorCode(refused), '429 rate_limit_exceeded');
  assert.equal((await ask(node, bearer(text))).status, 429);
  await clock.advance(11_000);
  assert.equal((await ask(node, bearer(text))).status, 200);
});

test('callers without a key share the rates of the configuration', async () => {
  await using node = await openServer({
    clock: createManualClock(),
    access: { requestsPerMinute: 1, tokensPerMinute: 5 },
  });
  assert.equal((await ask(node)).headers.get('x-ratelimit-limit-tokens'), '5');
  assert.match(await (await ask(node)).text(), /server\.requestsPerMinute/);
  assert.equal((await ask(node, bearer(node.key))).status, 200);
});

test('too many failures from one address are told to wait; a right key from there is not', async () => {
  const clock = createManualClock();
  await using node = await openServer({ clock });
  for (let i = 0; i < 20; i++) assert.equal((await ask(node, bearer(wrong))).status, 401);
  const refused = await ask(node, bearer(wrong));
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await ask(node, bearer(node.key))).status, 200);
  await clock.advance(3_000);
  assert.equal((await ask(node, bearer(wrong))).status, 401);
});

test('other names are taken when they are allowed, other pages when their origin is', async () => {
  await using node = await openServer({
    access: { allowedHosts: ['kith.lan'], corsOrigins: ['https://app.example.org'] },
  });
  const get = (headers: string) =>
    raw(node.port, `GET /v1/models HTTP/1.1\r\nconnection: close\r\n${headers}\r\n\r\n`);
  assert.match(await get('host: KITH.lan:80'), /^HTTP\/1\.1 200 /);
  assert.match(await get('host: 192.168.1.7'), /^HTTP\/1\.1 403 [\s\S]*host_refused/);
  assert.match(
    await get('host: localhost\r\norigin: https://evil.example'),
    /^HTTP\/1\.1 403 [\s\S]*origin_refused/,
  );
  const allowed = await get(
    'host: localhost\r\norigin: https://app.example.org\r\nsec-fetch-site: cross-site',
  );
  assert.match(allowed, /^HTTP\/1\.1 200 /);
  assert.match(allowed, /\r\naccess-control-allow-origin: https:\/\/app\.example\.org\r\n/i);
  assert.match(
    allowed,
    /\r\naccess-control-expose-headers: [^\r]*x-request-id[^\r]*x-ratelimit-reset-tokens/i,
  );
  assert.match(allowed, /\r\nvary: Origin\r\n/i);
  assert.doesNotMatch(allowed, /allow-credentials/i);
  assert.match(
    await get('host: localhost\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors'),
    /^HTTP\/1\.1 403/,
  );
  assert.match(
    await get(
      'host: localhost\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document',
    ),
    /^HTTP\/1\.1 200/,
  );
});

test('a preflight is answered for allowed origins only, and says nothing of routes or keys', async () => {
  const cors = { requireKey: true, corsOrigins: ['https://app.example.org', 'chrome-extension://abc'] };
  await using node = await openServer({ access: cors });
  const ask = (path: string, origin: string) =>
    fetch(node.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'Authorization, X-Stainless-OS,anthropic-version,x-evil',
        'access-control-request-private-network': 'true',
      },
    });
  const answers = [];
  for (const path of [chatPath, '/nowhere', '/kith/v1/shutdown']) {
    const response = await ask(path, 'https://app.example.org');
    assert.equal(response.status, 204);
    answers.push([...response.headers].filter(([name]) => name.startsWith('access-control')));
  }
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
  const names = Object.fromEntries(answers[0]!)['access-control-allow-headers']!.split(', ');
  for (const name of ['authorization', 'x-api-key', 'x-stainless-os', 'anthropic-version'])
    assert.ok(names.includes(name));
  assert.ok(!names.includes('x-evil'));
  assert.equal((await ask(chatPath, 'chrome-extension://abc')).status, 204);
  const foreign = await ask(chatPath, 'https://evil.example');
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
  assert.equal(await errorCode(foreign), '403 origin_refused');
});

test('keys lie in a file of their owner, as digests', async () => {
  await using node = await openServer();
  const path = keyStorePath(node.home);
  const mode = async (file: string) => (await stat(file)).mode & 0o777;
  assert.equal(await mode(dirname(path)), 0o700);
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(await mode(file), 0o600, file);
  const bytes = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)]).toString('latin1');
  assert.ok(bytes.includes(node.keys.list()[0]!.id));
  assert.ok(!bytes.includes(node.key.slice(-43)));
});

test('secrets do not repeat, and all of their bits are drawn', () => {
  const home = mkdtempSync(join(tmpdir(), 'kith-keys-'));
  using keys = openKeyStore(home, { clock: createManualClock(), random: createSeededRandom(7) });
  const texts = Array.from(
    { length: 200 },
    () => keys.create({ name: 'k', scopes: ['read'], ...noLimits }).text,
  );
  assert.equal(new Set(texts.map((each) => each.slice(-43))).size, 200);
  for (const each of texts) assert.match(each, /^kith_[0-9a-hjkmnp-tv-z]{10}_[0-9A-Za-z]{43}$/);
  const seen = new Set(texts.flatMap((each) => [...each.slice(-42)]));
  assert.equal(seen.size, 62);
  rmSync(home, { recursive: true });
});
