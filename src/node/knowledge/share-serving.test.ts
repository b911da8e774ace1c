import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, type Logger, silentLogger } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { createRetriever, encodeRequest, openKnowledgeStore, signGrant } from '../../knowledge/index.ts';
import type { OpenKb } from './kbs.ts';
import { createShareServing } from './share-serving.ts';
import { openShareStore } from './share-store.ts';

const owner = createIdentity(new Uint8Array(32).fill(1));
const holder = createIdentity(new Uint8Array(32).fill(2));
const DAY = 86_400_000;

/** A knowledge base whose searches wait until they are let go, or their signal fires. */
function slowKb() {
  const documents = openKnowledgeStore({
    path: ':memory:',
    create: { name: 'notes', clock: { now: () => 0 } },
  });
  const begun = Promise.withResolvers<AbortSignal>();
  const go = Promise.withResolvers<void>();
  const retriever = createRetriever({ store: documents, embedder: null });
  const kb: Pick<OpenKb, 'store' | 'retriever'> = {
    store: documents,
    retriever: {
      ...retriever,
      async search(question, options) {
        const { signal } = options!;
        begun.resolve(signal!);
        const gone = new Promise<never>((_, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason), { once: true });
        });
        await Promise.race([go.promise, gone]);
        return retriever.search(question, { ...options, by: 'words' });
      },
    },
  };
  return { kb: kb as OpenKb, documents, begun: begun.promise, go: go.resolve };
}

/** @param after ms until the grant begins */
function serving(log: Logger = silentLogger, after = 0) {
  const store = openShareStore(':memory:');
  const slow = slowKb();
  const clock = createManualClock();
  const shares = createShareServing({
    ...{ identity: owner, store: async () => store, clock, random: createSeededRandom(1), log },
    withKb: async (_, work) => work(slow.kb),
  });
  const terms = { holder: holder.did, kb: slow.documents.id, name: 'notes', rights: ['search' as const] };
  const grant = signGrant(
    owner,
    { ...terms, from: clock.now() + after, until: clock.now() + after + DAY },
    createSeededRandom(2),
  );
  store.give(grant, clock.now());
  const call = () =>
    shares.answer({
      peer: holder.peerId,
      payload: encodeRequest({
        ...{ op: 'search', grant: grant.bytes, question: 'tea', k: 3, mode: 'words', filter: null },
      }),
      signal: new AbortController().signal,
    });
  return { ...slow, store, shares, clock, grant, call };
}

test('a search under way ends when its grant is revoked, and its owner is told of it', async () => {
  const { store, shares, clock, grant, call, begun } = serving();
  const asking = call();
  const signal = await begun;
  store.revoke(grant.id, clock.now());
  shares.stop(grant.id);
  await assert.rejects(asking, { code: 'rag_refused' });
  assert.ok(signal.aborted);
  assert.match(store.byId(grant.id)!.refusedWhy!, /^it was revoked on /);
  assert.equal(store.byId(grant.id)!.used, 0);
});

test('a grant that ended while its question was searched gives no answer, also when nobody stopped the search', async () => {
  const { store, clock, grant, call, begun, go } = serving();
  const asking = call();
  await begun;
  await clock.advance(2 * DAY);
  go();
  await assert.rejects(asking, { code: 'rag_refused' });
  assert.match(store.byId(grant.id)!.refusedWhy!, /^it ended on /);
});

test('a grant that begins in the future is refused, and its owner is told by how much and to check the clock', async () => {
  const { store, grant, call, go } = serving(silentLogger, 3 * 3_600_000);
  go();
  await assert.rejects(call(), { code: 'rag_refused' });
  assert.match(
    store.byId(grant.id)!.refusedWhy!,
    /^it holds from .*, which is 3 h.* ahead of this machine's clock .*check this machine's clock/,
  );
});

test('what a node has lost its note of is revoked', async () => {
  const { store, grant, call, go } = serving();
  go();
  assert.ok((await call()).payload!.length > 0);
  assert.equal(store.byId(grant.id)!.used, 1);
  const empty = createShareServing({
    ...{ identity: owner, store: async () => openShareStore(':memory:'), clock: createManualClock() },
    ...{ random: createSeededRandom(1), log: silentLogger, withKb: () => assert.fail('nothing is opened') },
  });
  const payload = encodeRequest({
    ...{ op: 'search', grant: grant.bytes, question: 'tea', k: 3, mode: 'words', filter: null },
  });
  const { signal } = new AbortController();
  await assert.rejects(empty.answer({ peer: holder.peerId, payload, signal }), { code: 'rag_refused' });
});

test('no word of a question is logged or kept, and what cannot be counted is answered all the same', async () => {
  const said: string[] = [];
  const say = (...given: readonly unknown[]) => void said.push(JSON.stringify(given));
  const log: Logger = { ...silentLogger, debug: say, info: say, warn: say, error: say, child: () => log };
  const { store, clock, grant, call, go } = serving(log);
  go();
  const fails = (): never => {
    throw new Error('the disk is full');
  };
  const { noteUse } = store;
  Object.assign(store, { noteUse: fails });
  assert.ok((await call()).payload!.length > 0);
  Object.assign(store, { noteUse });
  await call();
  store.revoke(grant.id, clock.now());
  await assert.rejects(call(), { code: 'rag_refused' });
  assert.deepEqual([said.length, /tea/.test(said.join())], [2, false], said.join());
  assert.doesNotMatch(JSON.stringify(store.given()), /tea/);
});
