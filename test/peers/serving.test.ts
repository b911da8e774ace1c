/**
 * What a serving node gives, to whom, and how it holds peers to it: leases, tokens, hours, hostile asks. Two real hosts.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isKithError } from '../../src/base/index.ts';
import type { ChatEvent, ChatRequest } from '../../src/gateway/index.ts';
import {
  decodeEvent,
  decodeLease,
  decodeModels,
  encodeChat,
  encodeLeaseAsk,
  encodeOpening,
  type LeaseAnswer,
  PEER_METHODS,
  type PeerEvent,
  SERVE_NOBODY,
} from '../../src/gateway/peers/index.ts';
import type { Session } from '../../src/swarm/index.ts';
import {
  askingBackend,
  chatModel,
  chatRequest,
  collect,
  embeddingModel,
  type Friends,
  finish,
  openPolicy,
  scriptedEngine,
  start,
  startFriends,
  text,
  textOf,
  usage,
} from './support.ts';

let friends: Friends;
/** How the engine answers; set by each test. */
let answer: (request: ChatRequest) => AsyncIterable<ChatEvent>;
let tier: 'unknown' | 'known' | 'trusted' = 'known';

before(async () => {
  friends = await startFriends({
    engine: scriptedEngine((request) => answer(request)),
    tierOf: () => tier,
    names: ['sv-asker', 'sv-server'],
  });
});
after(() => friends[Symbol.asyncDispose]());

beforeEach(async () => {
  tier = 'known';
  friends.service.setPolicy(openPolicy);
  answer = async function* () {
    yield start(5);
    yield text('hello');
    yield finish();
    yield usage(5, 1);
  };
});

const codeOf = (code: string) => (error: unknown) => isKithError(error) && error.code === code;
const peer = () => friends.server.swarm.peer;

async function lease(
  model = chatModel,
  task: 'chat' | 'embedding' = 'chat',
  ms = 60_000,
): Promise<LeaseAnswer> {
  const ask = encodeLeaseAsk({ kind: 'want', model, task, ms });
  return decodeLease((await friends.asker.swarm.call(peer(), PEER_METHODS.lease, ask)).metadata);
}

async function release(id: Uint8Array): Promise<void> {
  await friends.asker.swarm.call(peer(), PEER_METHODS.lease, encodeLeaseAsk({ kind: 'release', lease: id }));
}

async function granted(model = chatModel): Promise<Uint8Array> {
  const got = await lease(model);
  assert.ok(got.state === 'granted', JSON.stringify(got));
  return got.lease;
}

const payload = (more: Partial<ChatRequest> = {}) =>
  encodeChat({ ...chatRequest('hi', more), model: more.model ?? chatModel });

async function open(id: Uint8Array, ms = 60_000): Promise<Session> {
  const opening = encodeOpening({ lease: id, request: new Uint8Array(16).fill(1), ms });
  return friends.asker.swarm.openSession(peer(), PEER_METHODS.chat, opening);
}

async function events(session: Session): Promise<PeerEvent[]> {
  const all: PeerEvent[] = [];
  for (;;) {
    const message = await session.receive();
    if (message === null) return all;
    all.push(decodeEvent(message));
  }
}

async function chatUnder(id: Uint8Array, body = payload()): Promise<PeerEvent[]> {
  const session = await open(id);
  await session.send({}, body);
  return events(session);
}

const lastCode = (all: readonly PeerEvent[]): string | null => {
  const last = all.at(-1)!;
  return last.type === 'error' ? last.code : null;
};

/** What was done for the asking host, oldest first. */
const given = () =>
  [
    ...friends.receipts.list({ peer: friends.asker.swarm.peer, way: 'given', limit: 1000 }).receipts,
  ].reverse();

test('a node without a policy lists nothing, grants nothing, and says so to everybody', async () => {
  friends.service.setPolicy(SERVE_NOBODY);
  tier = 'trusted';
  const { models } = decodeModels(await friends.asker.swarm.call(peer(), PEER_METHODS.models));
  assert.deepEqual(models, []);
  const denied = await lease();
  assert.deepEqual([denied.state, denied.state === 'denied' && denied.reason], ['denied', 'not_allowed']);
  const health = await friends.backend.health();
  assert.equal(health.answers, false);
});

test('friends are served by their PeerId, others by their tier', async () => {
  friends.service.setPolicy({ ...openPolicy, minTier: 'trusted' });
  assert.equal((await lease()).state, 'denied');
  friends.service.setPolicy({ ...openPolicy, minTier: null, peers: [friends.asker.swarm.peer] });
  tier = 'unknown';
  await release(await granted());
  friends.service.setPolicy({ ...openPolicy, minTier: 'trusted' });
  tier = 'trusted';
  await release(await granted());
});

test('what the policy does not name, and what is not on the disk, is denied with the same words', async () => {
  friends.service.setPolicy({ ...openPolicy, models: [chatModel, 'not-fetched'] });
  const answers = [
    await lease(embeddingModel, 'embedding'),
    await lease('not-fetched'),
    await lease('nowhere'),
  ];
  for (const one of answers) {
    assert.ok(one.state === 'denied' && one.reason === 'model_not_served');
    assert.deepEqual(one, answers[0]);
  }
  // A chat model makes no embeddings.
  assert.equal((await lease(chatModel, 'embedding')).state, 'denied');
});

test('one lease is one request at a time; a second one is busy until it is free', async () => {
  const id = await granted();
  const second = await lease();
  assert.ok(second.state === 'busy' && second.ms > 0);
  assert.equal(lastCode(await chatUnder(id)), null);
  await release(id);
  await release(await granted());
});

test('a lease is good for its holder, its model, its task and its time only', async () => {
  const id = await granted();
  assert.equal(lastCode(await chatUnder(id, payload({ model: embeddingModel }))), 'peer_lease_lost');
  assert.equal(lastCode(await chatUnder(new Uint8Array(16))), 'peer_lease_lost');
  assert.equal(lastCode(await chatUnder(id)), null);
  await release(id);
  assert.equal(lastCode(await chatUnder(id)), 'peer_lease_lost');
});

test('tokens of a minute hold a peer, and an answer is cut at what the policy gives', async () => {
  friends.service.setPolicy({ ...openPolicy, tokensPerMinute: 10, maxTokens: 4 });
  answer = async function* ({ maxTokens }) {
    yield start(3);
    for (let count = 0; count < maxTokens!; count++) yield text('a ');
    yield finish('length');
    yield usage(3, maxTokens!);
  };
  await using backend = askingBackend(friends.asker, friends.server, 'frugal');
  // Charged by former tests of this process with other policies: the bucket begins full at ten.
  const first = await collect(backend.chat(chatRequest('hi', { maxTokens: 1000 })));
  assert.equal(textOf(first), 'a a a a ');
  const end = first.at(-1)!;
  assert.ok(end.type === 'usage' && /holds answers to 4 tokens/.test(end.receipt.notes.join()));
  await collect(backend.chat(chatRequest('hi')));
  await assert.rejects(
    collect(backend.chat(chatRequest('hi'))),
    (error) => codeOf('peer_busy')(error) && isKithError(error) && error.retryAfter! >= 1,
  );
});

test("leaving in the middle ends the engine's work, frees the lease, and is paid for", async () => {
  const left = Promise.withResolvers<void>();
  answer = async function* ({ signal }) {
    signal.addEventListener('abort', () => left.resolve(), { once: true });
    yield start(5);
    yield text('one');
    await left.promise;
    throw signal.reason;
  };
  const before = given().length;
  const id = await granted();
  const session = await open(id);
  await session.send({}, payload());
  for (let pieces = 0; pieces < 2; pieces++) decodeEvent((await session.receive())!);
  session.cancel();
  await left.promise;
  answer = async function* () {
    yield start(5);
    yield finish();
    yield usage(5, 0);
  };
  // The next request under the same lease waits for the end of the one that was left.
  assert.equal(lastCode(await chatUnder(id)), null);
  await release(id);
  const kept = given().slice(before);
  assert.deepEqual(
    kept.map(({ facts }) => [facts.outcome, facts.promptTokens, facts.completionTokens]),
    [
      ['left', 5, 1],
      ['answered', 5, 0],
    ],
  );
});

test('a prompt is paid for by a peer that leaves before it is read', async () => {
  friends.service.setPolicy({ ...openPolicy, tokensPerMinute: 100 });
  const reading = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const usual = answer;
  answer = async function* ({ signal }) {
    signal.addEventListener('abort', () => left.resolve(), { once: true });
    reading.resolve();
    await left.promise;
    throw signal.reason;
  };
  const id = await granted();
  const session = await open(id);
  await session.send({}, payload({ messages: [{ role: 'user', content: 'x'.repeat(6000) }] }));
  await reading.promise;
  session.cancel();
  await left.promise;
  const next = await lease();
  assert.ok(next.state === 'busy' && next.ms > 60_000, JSON.stringify(next));
  friends.service.setPolicy({ ...openPolicy, tokensPerMinute: Number.MAX_SAFE_INTEGER });
  answer = usual;
  assert.equal(lastCode(await chatUnder(id)), null);
  await release(id);
});

test('a peer that does not read holds the engine back within the window', async () => {
  let made = 0;
  const stopped = Promise.withResolvers<void>();
  answer = async function* ({ signal }) {
    signal.addEventListener('abort', () => stopped.resolve(), { once: true });
    yield start(5);
    for (;;) {
      signal.throwIfAborted();
      made++;
      yield text('x'.repeat(20_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const id = await granted();
  const session = await open(id);
  await session.send({}, payload());
  // It stands still: the same number twice, some turns apart.
  let before = -1;
  while (before !== made || made === 0) {
    before = made;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(made < 4000, `${made} pieces were made`);
  session.cancel();
  await stopped.promise;
  await release(id);
});

test('what is no opening, no request, or too large a request is refused', async () => {
  const id = await granted();
  const swarm = friends.asker.swarm;
  const odd = await swarm.openSession(peer(), PEER_METHODS.chat, { l: id, i: id, ms: 1, more: true });
  assert.equal(lastCode(await events(odd)), 'peer_malformed');
  for (const body of [
    new Uint8Array(0),
    Uint8Array.of(0xff),
    encodeOpening({ lease: id, request: id, ms: 1 }) && new TextEncoder().encode('{"model":"m"}'),
  ]) {
    const code = lastCode(await chatUnder(id, body));
    assert.ok(code === 'peer_malformed' || code === 'cbor_invalid', String(code));
  }
  const session = await open(id);
  await session.send({}, new Uint8Array(4 * 2 ** 20 + 1));
  await assert.rejects(events(session), codeOf('swarm_too_large'));
  await assert.rejects(swarm.call(peer(), PEER_METHODS.lease, { m: chatModel }), codeOf('peer_malformed'));
  await release(id);
  await release(await granted());
});

test("an engine's own errors keep their words here, and those that speak of the request go out", async () => {
  answer = () => {
    throw new Error('/home/ada/models/secret.gguf is damaged');
  };
  const id = await granted();
  const [broken] = await chatUnder(id);
  assert.ok(broken?.type === 'error' && broken.code === 'peer_failed' && !broken.message.includes('ada'));
  await release(id);
});

test('a policy that takes a model away ends what runs for it', async () => {
  const running = Promise.withResolvers<void>();
  answer = async function* ({ signal }) {
    yield start(5);
    running.resolve();
    await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
  };
  const id = await granted();
  const session = await open(id);
  await session.send({}, payload());
  await running.promise;
  friends.service.setPolicy({ ...openPolicy, models: [] });
  assert.equal(lastCode(await events(session)), 'peer_not_served');
});

test('two requests at once are two leases, and what is over the policy goes elsewhere', async () => {
  friends.service.setPolicy({ ...openPolicy, maxConcurrent: 2, maxPerPeer: 2 });
  const gate = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let running = 0;
  answer = async function* () {
    running++;
    if (running === 2) second.resolve();
    yield start(5);
    await gate.promise;
    yield text('done');
    yield finish();
    yield usage(5, 1);
  };
  await using backend = askingBackend(friends.asker, friends.server, 'several');
  const both = [backend.chat(chatRequest('a')), backend.chat(chatRequest('b'))].map((each) => collect(each));
  await Promise.race([second.promise, Promise.all(both)]);
  await assert.rejects(collect(backend.chat(chatRequest('c'))), codeOf('peer_busy'));
  gate.resolve();
  for (const each of await Promise.all(both)) assert.equal(textOf(each), 'done');
});
