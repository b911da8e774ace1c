/**
 * Messages and grants that nobody would send: a hundred thousand into what reads them, and thousands to a node over a real
 * connection, which goes on answering who may ask.
 *
 * @module test/long/knowledge-share-fuzz
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSeededRandom,
  isKithError,
  type Random,
  silentLogger,
  systemClock,
} from '../../src/base/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import {
  createRetriever,
  decodeAnswer,
  decodeGrants,
  decodeReply,
  decodeRequest,
  encodeAnswer,
  encodeGrants,
  encodeReply,
  encodeRequest,
  grantText,
  openKnowledgeStore,
  RAG_METHOD,
  readGrant,
  readGrantText,
  signGrant,
} from '../../src/knowledge/index.ts';
import type { OpenKb } from '../../src/node/knowledge/kbs.ts';
import { createShareServing } from '../../src/node/knowledge/share-serving.ts';
import { openShareStore } from '../../src/node/knowledge/share-store.ts';
import { seedOf, swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';

const seed = Number(process.env.KITH_TEST_SEED ?? 1);
const owner = createIdentity(seedOf(81));
const holder = createIdentity(seedOf(82));

/** A few bytes changed, cut off, doubled or put in. */
function mangle(random: Random, bytes: Uint8Array): Uint8Array {
  let changed: Uint8Array = Uint8Array.from(bytes);
  for (let left = 1 + (random.uint32() % 4); left > 0; left--) {
    const at = random.uint32() % (changed.length + 1);
    const kind = random.uint32() % 4;
    if (kind === 0 && at < changed.length) changed[at] = random.uint32() & 255;
    else if (kind === 1) changed = changed.slice(0, at);
    else if (kind === 2)
      changed = Uint8Array.from([...changed.slice(0, at), ...random.bytes(3), ...changed.slice(at)]);
    else changed = Uint8Array.from([...changed.slice(0, at), ...changed.slice(Math.max(0, at - 8))]);
  }
  return changed;
}

function samples(kb: string) {
  const now = Math.floor(systemClock.now());
  const terms = {
    holder: holder.did,
    kb,
    name: 'notes',
    rights: ['search' as const],
    from: now,
    until: now + 86_400_000,
  };
  const grant = signGrant(owner, terms, createSeededRandom(3));
  const hit = {
    ...{
      id: 'ab'.repeat(16),
      path: 'a.md',
      title: 'A',
      text: 'tea',
      position: 0,
      place: { page: 2, part: 'x' },
    },
    ...{ score: 1.5, words: [2, 1] as const, vector: null },
  };
  const question = {
    grant: grant.bytes,
    question: 'tea',
    k: 3,
    mode: 'words' as const,
    filter: { paths: ['a/'] },
  };
  return {
    grant,
    search: encodeRequest({ op: 'search', ...question }),
    readers: [
      [encodeRequest({ op: 'search', ...question }), decodeRequest],
      [
        encodeReply({ hits: [hit, hit], by: ['words'], degraded: 'x', embedder: null, cut: false }),
        decodeReply,
      ],
      [encodeAnswer({ text: 'Tea. [1]', hits: [hit] }), decodeAnswer],
      [encodeGrants([grant.bytes]), decodeGrants],
      [grant.bytes, readGrant],
      [
        Buffer.from(grantText(grant)),
        (bytes: Uint8Array) => readGrantText(Buffer.from(bytes).toString('latin1')),
      ],
    ] as readonly (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[],
  };
}

test('a hundred thousand mangled messages and grants are read or refused with a typed error', () => {
  const random = createSeededRandom(seed);
  const { readers } = samples('kb_1');
  let read = 0;
  let refused = 0;
  for (let i = 0; i < 100_000; i++) {
    const [bytes, reader] = readers[i % readers.length]!;
    try {
      reader(mangle(random, bytes));
      read++;
    } catch (error) {
      assert.ok(isKithError(error), String(error));
      assert.match(error.code, /^(peer_malformed|cbor_invalid|grant_invalid)$/);
      refused++;
    }
  }
  console.log(`${read} read, ${refused} refused (seed ${seed})`);
  assert.ok(refused > 50_000);
});

test('five thousand mangled questions to a node are refused alike, and it goes on', async () => {
  const random = createSeededRandom(seed + 1);
  await using asked = await swarmOnLoopback(81, {
    gate: { requestsPerSecond: 1_000_000, requestBurst: 1_000_000 },
  });
  await using asking = await swarmOnLoopback(82);
  using store = openShareStore(':memory:');
  const documents = openKnowledgeStore({ path: ':memory:', create: { name: 'notes', clock: systemClock } });
  const { grant, search } = samples(documents.id);
  store.give(grant, 0);
  const kb = { store: documents, retriever: createRetriever({ store: documents, embedder: null }) } as OpenKb;
  using serving = createShareServing({
    ...{ identity: owner, store: async () => store, clock: systemClock, random, log: silentLogger },
    withKb: (_, work) => work(kb),
  });
  using _handling = asked.handle(RAG_METHOD, {
    caps: { maxPayloadBytes: 65_536, maxMetadataBytes: 64, maxConcurrent: 16 },
    handler: (call) => serving.answer(call),
  });
  await asking.learn(asked.peer, asked.addresses);
  const send = async (payload: Uint8Array): Promise<string> => {
    try {
      await asking.call(asked.peer, RAG_METHOD, {}, payload);
      return 'answered';
    } catch (error) {
      assert.ok(isKithError(error), String(error));
      return error.code;
    }
  };
  const told = new Map<string, number>();
  for (let i = 0; i < 5000; i += 10)
    for (const code of await Promise.all(Array.from({ length: 10 }, () => send(mangle(random, search)))))
      told.set(code, (told.get(code) ?? 0) + 1);
  console.log([...told]);
  assert.ok([...told.keys()].every((code) => code === 'rag_refused' || code === 'answered'));
  assert.equal(await send(Uint8Array.from(search)), 'answered');
  documents.close();
});
