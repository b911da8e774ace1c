/** Audits with a real model: what it says again is right, what was made up is wrong, and what cannot be compared is neither. */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, fromHex, setInFile, silentLogger, systemClock } from '../src/base/index.ts';
import type { ChatRequest } from '../src/gateway/index.ts';
import type { ServedEngine } from '../src/gateway/peers/index.ts';
import { createIdentity } from '../src/identity/index.ts';
import { type EngineRooms, openEngineRooms } from '../src/node/index.ts';
import { tellModelHashes } from '../src/node/swarm-model-hash.ts';
import { createAudits } from '../src/node/swarm-trust-audits.ts';
import type { SeenChat } from '../src/node/swarm-trust-watch.ts';
import { openTrust, type Trust } from '../src/trust/index.ts';
import { configOf, createHome, type TestHome } from './node-support.ts';
import { openPolicy, serve, startHost } from './peers/support.ts';
import { startSwarmNode, until } from './swarm-support.ts';

const peer = createIdentity(new Uint8Array(32).fill(9)).peerId;
let home: TestHome;
let rooms: EngineRooms;
let trust: Trust;
let hash: string | null;
let honest: SeenChat;

const request: ChatRequest = {
  model: 'tiny',
  messages: [{ role: 'user', content: 'Write a long story about the sea.' }],
  n: 1,
  sampler: { temperature: 0, seed: 1 },
  maxTokens: 24,
  stop: [],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal: new AbortController().signal,
};

before(async () => {
  home = await createHome();
  rooms = await openEngineRooms(configOf(home), silentLogger);
  trust = openTrust({ home: home.path, clock: systemClock, self: null });
  hash = (await rooms.local.models()).find(({ id }) => id === 'tiny')!.digest!;
  let text = '';
  let promptTokens: number | null = null;
  for await (const event of rooms.local.chat(request)) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'usage') promptTokens = event.promptTokens;
  }
  const counts = { promptTokens, completionTokens: 24, characters: text.length };
  honest = { peer, model: 'tiny', firstMs: 1, restMs: 1, ...counts, text };
});
after(async () => {
  trust?.close();
  await rooms?.[Symbol.asyncDispose]();
  await home?.remove();
});

async function audit(seen: SeenChat, share = 1, more: Partial<ChatRequest> = {}): Promise<boolean> {
  const tasks: Promise<void>[] = [];
  const audits = createAudits({
    ...{ share, trust, engine: rooms.local, hashOf: async () => hash, clock: systemClock },
    ...{ random: createSeededRandom(1), log: silentLogger, signal: new AbortController().signal },
    behind: (_what, work) => tasks.push(work()),
  });
  const asked = { ...request, ...more };
  if (!audits.wantsText(peer, asked)) return false;
  audits.take(seen, asked);
  await Promise.all(tasks);
  return true;
}
const observed = () => trust.score(peer).terms.find(({ name }) => name === 'observations')!.detail;

test('the same answer is right, and as much of an observation as it is long', async () => {
  assert.equal(await audit(honest), true);
  assert.equal(observed(), 'audit 100.0 % of 1.0');
  assert.equal(await audit({ ...honest, text: honest.text!.slice(0, 12) }), true);
  assert.equal(observed(), 'audit 100.0 % of 1.0', 'a beginning tells too little');
});

test('what is of another file, or of another template, is not compared', async () => {
  const before = trust.count(peer, 'audit');
  const known = hash;
  hash = 'ff'.repeat(32);
  assert.equal(await audit({ ...honest, text: 'made up' }), true);
  hash = null;
  assert.equal(await audit({ ...honest, text: 'made up' }), true);
  hash = known;
  assert.equal(await audit({ ...honest, text: 'made up', promptTokens: 1 }), true);
  assert.equal(trust.count(peer, 'audit'), before);
});

test('only what has one right answer is computed again, and nothing unless the owner says so', async () => {
  assert.equal(await audit(honest, 0), false);
  for (const more of [
    { sampler: { temperature: 0.7, seed: 1 } },
    { sampler: { temperature: 0, repeatPenalty: 1.1 } },
    { n: 2 },
    { grammar: { type: 'json_object' } as unknown as NonNullable<ChatRequest['grammar']> },
    { messages: [{ role: 'user', content: 'x'.repeat(20_000) }] } as Partial<ChatRequest>,
  ])
    assert.equal(await audit(honest, 1, more), false, JSON.stringify(more).slice(0, 80));
});

test('an answer that was made up is a bad observation and an incident', async () => {
  const text = `${honest.text!.slice(0, 8)} zebra zebra zebra`;
  assert.equal(await audit({ ...honest, text }), true);
  assert.equal(observed(), 'audit 50.0 % of 2.0');
  const { terms, quarantineUntil } = trust.score(peer);
  assert.match(terms.find(({ name }) => name === 'strikes')!.detail, /^recomputed 0 d ago/);
  assert.notEqual(quarantineUntil, null);
});

test('over real connections, a peer that is honest and then lies is found out by the node that asked it', async () => {
  await rooms[Symbol.asyncDispose]();
  trust.close();
  await using liar = await startHost('liar');
  const answers = [honest.text!, 'Zebra zebra zebra zebra zebra zebra.'];
  const row = { ownedBy: 'kith', context: 4096, since: null, state: 'loaded', task: 'chat' } as const;
  const engine: ServedEngine = {
    models: async () => [{ ...row, id: 'tiny' }],
    async *chat() {
      const head = { promptTokens: honest.promptTokens!, cachedTokens: 0 };
      yield { type: 'start', backend: 'local', model: 'tiny', ...head };
      yield { type: 'text', choice: 0, text: answers.shift()!, logprobs: null };
      yield { type: 'finish', choice: 0, reason: 'length', stop: null, slidTokens: 0 };
      const times = { queueMs: 0, prefillMs: 1, decodeMs: 1, notes: [] };
      const receipt = { backend: 'local', model: 'tiny', ...times };
      yield { type: 'usage', ...head, completionTokens: 24, receipt };
    },
    embed: () => assert.fail('it makes no embeddings'),
  };
  using _serving = serve(liar, engine, { ...openPolicy, models: ['tiny'] });
  using _telling = tellModelHashes(liar.swarm, async () => fromHex(hash!));
  const settings = {
    ...{ 'swarm.enabled': true, 'swarm.network': 'lan', 'swarm.listen': '/ip4/127.0.0.1/tcp/0' },
    ...{ 'swarm.dht': 'off', 'swarm.bootstrap': liar.swarm.addresses[0]! },
    ...{ 'gateway.localEngine': false, 'trust.auditShare': 1 },
  };
  for (const [name, value] of Object.entries(settings)) await setInFile(home.path, name, value);
  await appendFile(
    join(home.path, 'config.yaml'),
    `backends:\n  - { name: friend, kind: peer, peer: "${liar.identity.did}", models: [tiny] }\n`,
  );
  await using node = await startSwarmNode(home.path);
  await node.view();
  const ask = async () => {
    const response = await fetch(`${node.node.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'tiny', messages: request.messages, temperature: 0, seed: 1, max_tokens: 24 },
      }),
    });
    assert.equal(response.status, 200, await response.text());
  };
  const seen = async () => {
    using own = openTrust({ home: home.path, clock: systemClock, self: null });
    const { terms, quarantineUntil } = own.score(liar.identity.peerId);
    return { terms: terms.map(({ detail }) => detail).join('; '), quarantineUntil };
  };
  await ask();
  await until(seen, ({ terms }) => /audit 100\.0 % of 1\.0/.test(terms));
  await ask();
  const after = await until(seen, ({ quarantineUntil }) => quarantineUntil !== null);
  assert.match(after.terms, /audit 50\.0 % of 2\.0, availability 100\.0 % of 2\.0/);
  assert.match(after.terms, /recomputed 0 d ago/);
});
