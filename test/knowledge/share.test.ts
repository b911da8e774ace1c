/** Knowledge bases shared between two nodes' swarms: grants, refusals, revocation, and questions to several. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Clock,
  type Config,
  createSeededRandom,
  encodeCbor,
  isKithError,
  resolveConfig,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/base/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import {
  encodeRequest,
  grantText,
  openKnowledgeStore,
  RAG_METHOD,
  readGrantText,
  signGrant,
} from '../../src/knowledge/index.ts';
import { lateKnowledge } from '../../src/node/knowledge/late.ts';
import { questionsThatLeave } from '../../src/node/knowledge/share-privacy.ts';
import type { FederatedQuery, GivenGrant, KnowledgeDesk } from '../../src/server/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { seedOf, swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';

const DAY = 86_400_000;

interface Party extends AsyncDisposable {
  readonly config: Config;
  readonly desk: KnowledgeDesk;
  readonly swarm: Swarm;
  readonly peer: string;
  /** ms by which its wall clock is wrong. */
  wrong: number;
  /** What its searches wait for. */
  hold: Promise<void> | null;
}

/** A node's knowledge bases and its swarm; words only, so that no engine is needed. */
async function party(seed: number, flags: Readonly<Record<string, unknown>> = {}): Promise<Party> {
  const home = await mkdtemp(join(tmpdir(), 'kith-share-'));
  const { config } = resolveConfig({ home, flags, env: {} });
  const swarm = await swarmOnLoopback(seed);
  const identity = createIdentity(seedOf(seed));
  // For quotas no time passes.
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + self.wrong, monotonic: () => 0 };
  const standing = () => ({ tier: 'unknown' as const, pledge: false, region: null });
  const repute = { score: 0, tier: 'unknown', conduct: 1 } as const;
  const reputation = { of: () => repute, observe() {} };
  const peers = { swarm, standing, lending: () => [], reputation };
  const nothing = () => Promise.reject(new Error('no model is asked here'));
  const knowledge = lateKnowledge({
    ...{ config, clock, random: systemRandom, log: silentLogger },
    engine: { embed: nothing, rank: nothing, tokenize: nothing },
    local: { prepare: nothing },
    models: { get: nothing },
    sharing: { identity, peers, mayLeave: questionsThatLeave(config, peers) },
  });
  const handling = swarm.handle(RAG_METHOD, {
    caps: { maxPayloadBytes: 65_536, maxMetadataBytes: 64, maxConcurrent: 2 },
    handler: async (call) => {
      await self.hold;
      return knowledge.answerPeer(call);
    },
  });
  const self: Party = {
    ...{ config, desk: knowledge.desk, swarm, peer: swarm.peer, wrong: 0, hold: null },
    async [Symbol.asyncDispose]() {
      handling[Symbol.dispose]();
      await knowledge[Symbol.asyncDispose]();
      await swarm[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
  return self;
}

/** Puts texts into a knowledge base, which nobody has open. */
async function fill({ desk }: Party, name: string, texts: Readonly<Record<string, string>>): Promise<void> {
  const { path } = await desk.create({ name });
  const store = openKnowledgeStore({ path });
  for (const [at, text] of Object.entries(texts))
    store.put(
      {
        ...{
          path: at,
          title: at,
          titled: false,
          type: 'txt',
          hash: createHash('sha256').update(at).digest(),
        },
        ...{
          recipe: 'test',
          bytes: text.length,
          modified: 0,
          pages: null,
          properties: {},
          tags: [],
          aliases: [],
        },
        ...{ links: [], notes: [] },
      },
      [
        {
          id: createHash('sha256').update(text).digest('hex').slice(0, 32),
          ...{ position: 0, title: 'Harbour', text, tokens: 10, place: { line: 1 } },
        },
      ],
      null,
      [],
    );
  store.close();
}

let owner: Party;
let holder: Party;
let stranger: Party;
const COPY = 'The harbour master counts the boats each morning.';
before(async () => {
  [owner, holder, stranger] = await Promise.all([
    party(71, { 'knowledge.sharePerMinute': 1000 }),
    party(72),
    party(73, { 'knowledge.sharePerMinute': 2 }),
  ]);
  await fill(owner, 'notes', {
    'open/lease.txt': 'The lease of the boat house ends on the last day of June.',
    'open/boats.txt': COPY,
    'shut/codes.txt': 'The code of the boat house is 4711, says the harbour master.',
  });
  await fill(owner, 'diary', { 'today.txt': 'Nobody may read about the boat house here.' });
  await fill(holder, 'own', { 'log/boats.txt': COPY, 'log/tea.txt': 'Tea for the harbour master.' });
  for (const each of [holder, stranger]) await each.swarm.learn(owner.peer, owner.swarm.addresses);
});
after(async () => {
  for (const each of [owner, holder, stranger]) await each[Symbol.asyncDispose]();
});

const give = (more: object = {}): Promise<GivenGrant> =>
  owner.desk.shares.give('notes', { with: holder.peer, rights: ['search'], forMs: DAY, ...more });
const ask = (kbs: readonly string[], more: Partial<FederatedQuery> = {}) =>
  holder.desk.shares.search({
    ...{
      query: 'boat house harbour master',
      kbs,
      k: 10,
      mode: 'auto',
      deadlineMs: 60_000,
      privacy: 'minimum',
    },
    ...more,
  });
const SHARED = () => `@${owner.peer.slice(-8)}:notes`;
/** What the owner answers to the bytes of whoever asks. */
async function answerTo(who: Party, payload: Uint8Array): Promise<string> {
  try {
    await who.swarm.call(owner.peer, RAG_METHOD, {}, payload);
    return 'answered';
  } catch (error) {
    assert.ok(isKithError(error));
    return `${error.code} ${error.status} ${error.message}`;
  }
}
const request = (text: string, more: object = {}) =>
  encodeRequest({
    ...{
      op: 'search',
      grant: readGrantText(text).bytes,
      question: 'boat house',
      k: 5,
      mode: 'both',
      filter: null,
    },
    ...more,
  });

test('a peer accepts a grant and searches what it shows beside its own; a passage that both have says so, and nothing outside comes', async () => {
  const given = await give({ filter: { paths: ['open/'] } });
  const accepted = await holder.desk.shares.accept(given.text);
  assert.deepEqual([accepted.name, accepted.state], [`@${owner.peer}:notes`, 'holds']);
  const found = await ask(['own', SHARED()]);
  assert.deepEqual(
    found.sources.map(({ source, state, peer, hits }) => [source, state, peer, hits]),
    [
      ['own', 'answered', null, 2],
      [SHARED(), 'answered', owner.peer, 2],
    ],
  );
  assert.deepEqual(
    found.hits[0]!.places.map(({ source, path }) => [source, path]),
    [
      ['own', 'log/boats.txt'],
      [SHARED(), 'open/boats.txt'],
    ],
  );
  assert.equal(found.hits.length, 3);
  for (const mode of ['auto', 'graph', 'words', 'vectors'] as const)
    for (const filter of [{}, { filter: { paths: ['shut/', 'open/'] } }])
      assert.doesNotMatch(
        JSON.stringify(await ask([SHARED()], { query: 'code 4711', mode, ...filter })),
        /shut|4711,/,
      );
  const [told] = (await owner.desk.shares.given()).filter(({ id }) => id === given.id);
  assert.ok(told!.used > 0 && told!.refused === 0);
  await owner.desk.shares.revoke(given.id);
  await holder.desk.shares.forget(given.id);
});

test('whoever is refused is told the same, whatever there is: foreign, forged, for another, without a right, of no knowledge base, no protocol at all', async () => {
  const given = await give();
  const random = createSeededRandom(9);
  const terms = { ...readGrantText(given.text) };
  const forged = signGrant(createIdentity(seedOf(73)), terms, random);
  const unknown = signGrant(createIdentity(seedOf(71)), terms, random);
  const answers = [
    await answerTo(stranger, request(given.text)),
    await answerTo(holder, request(grantText(forged))),
    await answerTo(holder, request(grantText(unknown))),
    await answerTo(holder, request(given.text, { op: 'answer' })),
    await answerTo(stranger, encodeRequest({ op: 'list' })),
    await answerTo(stranger, encodeCbor({ op: 'search' })),
    await answerTo(stranger, new Uint8Array([255, 1, 2])),
  ];
  await owner.desk.destroy('diary', false);
  await fill(owner, 'diary', { 'today.txt': 'Another one of that name.' });
  assert.equal(await answerTo(holder, request(given.text)), 'answered');
  assert.match(answers[0]!, /^rag_refused 403 /);
  assert.deepEqual(new Set(answers).size, 1, answers.join('\n'));
  const told = (await owner.desk.shares.given()).find(({ id }) => id === given.id)!;
  assert.equal(told.refusedWhy, 'it gives no right to answer');
  assert.equal(told.refused, 1, 'what strangers try is not held against the holder');
  await owner.desk.shares.revoke(given.id);
});

test('a grant of a knowledge base that was made anew under its name opens nothing', async () => {
  const given = await owner.desk.shares.give('diary', { with: holder.peer, rights: ['search'], forMs: DAY });
  assert.equal(await answerTo(holder, request(given.text)), 'answered');
  await owner.desk.destroy('diary', false);
  assert.match(await answerTo(holder, request(given.text)), /^rag_refused/);
  await fill(owner, 'diary', { 'today.txt': 'Another boat house.' });
  assert.match(await answerTo(holder, request(given.text)), /^rag_refused/);
  const told = (await owner.desk.shares.given()).find(({ id }) => id === given.id)!;
  assert.match(told.refusedWhy!, /another one now/);
  await owner.desk.shares.revoke(given.id);
});

test('a grant holds by the clock of who gave it: before, after, and when that clock is wrong its owner is told the times', async () => {
  const later = await give({ from: Math.floor(Date.now()) + DAY });
  assert.equal(later.state, 'to_come');
  assert.match(await answerTo(holder, request(later.text)), /^rag_refused/);
  const now = await give();
  assert.equal(await answerTo(holder, request(now.text)), 'answered');
  owner.wrong = -DAY;
  assert.match(await answerTo(holder, request(now.text)), /^rag_refused/);
  owner.wrong = DAY + 1;
  assert.match(await answerTo(holder, request(now.text)), /^rag_refused/);
  owner.wrong = 0;
  const why = async (id: string) =>
    (await owner.desk.shares.given()).find((each) => each.id === id)!.refusedWhy!;
  assert.match(await why(later.id), /^it holds from 2\d{3}-.* ahead of this machine's clock \(2\d{3}-/);
  assert.match(await why(now.id), /^it ended on 2\d{3}-.*; the clock of this node says 2\d{3}-/);
  holder.wrong = -DAY;
  await holder.desk.shares.accept(now.text);
  const [early] = (await ask([SHARED()])).sources;
  assert.equal(early!.state, 'answered', 'the clock of who gave it counts');
  await owner.desk.shares.revoke(now.id);
  const [refused] = (await ask([SHARED()])).sources;
  assert.deepEqual([refused!.state, refused!.trouble?.code], ['refused', 'grant_expired']);
  await holder.desk.shares.forget(now.id);
  holder.wrong = 2 * DAY;
  await assert.rejects(holder.desk.shares.accept(now.text), { code: 'grant_expired' });
  holder.wrong = 0;
  for (const { id } of [later, now]) await owner.desk.shares.revoke(id);
});

test('a grant that is revoked ends at once, for a question under way as well', async () => {
  const given = await give();
  await holder.desk.shares.accept(given.text);
  const gate = Promise.withResolvers<void>();
  owner.hold = gate.promise;
  const asking = ask([SHARED(), 'own']);
  const revoked = await owner.desk.shares.revoke(given.id);
  assert.equal(revoked.state, 'revoked');
  gate.resolve();
  owner.hold = null;
  const found = await asking;
  assert.deepEqual(
    found.sources.map(({ state, trouble }) => [state, trouble?.code]),
    [
      ['refused', 'rag_refused'],
      ['answered', 'no_vectors'],
    ],
  );
  assert.ok(found.hits.every(({ places }) => places.every(({ source }) => source === 'own')));
  assert.match(await answerTo(holder, request(given.text)), /^rag_refused/);
  await holder.desk.shares.forget(given.id);
});

test('where one grant has ended the next one counts, and shows what it shows', async () => {
  const part = await give({ filter: { paths: ['open/'] } });
  const whole = await give();
  for (const { text } of [part, whole]) await holder.desk.shares.accept(text);
  const paths = async () => {
    const { hits } = await ask([SHARED()], { query: 'boat house', mode: 'words' });
    return hits.map(({ path }) => path).sort();
  };
  assert.deepEqual(await paths(), ['open/boats.txt', 'open/lease.txt', 'shut/codes.txt']);
  await owner.desk.shares.revoke(whole.id);
  assert.deepEqual(await paths(), ['open/boats.txt', 'open/lease.txt']);
  await owner.desk.shares.revoke(part.id);
  for (const { id } of [part, whole]) await holder.desk.shares.forget(id);
});

test('a peer that asks what is shared with it gets its grants, and others get none of them', async () => {
  const given = await give();
  const taken = await holder.desk.shares.acceptFrom(owner.peer);
  assert.deepEqual(
    taken.map(({ id }) => id),
    [given.id],
  );
  await assert.rejects(stranger.desk.shares.acceptFrom(owner.peer), { code: 'rag_refused' });
  await assert.rejects(stranger.desk.shares.accept(given.text), { code: 'grant_not_yours' });
});

test('with the right to it a peer has answers: sentences of what the grant shows, and nothing where that does not say', async () => {
  const given = await give({ rights: ['answer'], filter: { paths: ['open/'] } });
  await holder.desk.shares.accept(given.text);
  const answer = (query: string) =>
    holder.desk.shares.answer({
      ...{ kb: SHARED(), query, k: 5, mode: 'auto', deadlineMs: 60_000, privacy: 'minimum' },
    });
  const told = await answer('When does the lease of the boat house end?');
  assert.match(told.text, /last day of June\. ?\[1\]/);
  assert.deepEqual([told.sources[0]!.path, told.peer], ['open/lease.txt', owner.peer]);
  const secret = await answer('What is the code 4711 of the boat house?');
  assert.deepEqual([secret.text, secret.sources], ['', []]);
  await owner.desk.shares.revoke(given.id);
  await assert.rejects(answer('When does the lease end?'), { code: 'rag_refused' });
  await holder.desk.shares.forget(given.id);
});

test('what is late, and what may not leave, is left out and said so', async () => {
  const gate = Promise.withResolvers<void>();
  owner.hold = gate.promise;
  const [slow] = (await ask([SHARED()], { deadlineMs: 300 })).sources;
  gate.resolve();
  owner.hold = null;
  assert.deepEqual([slow!.state, slow!.hits], ['late', 0]);
  const local = await ask(['own', SHARED()], { privacy: 'local' });
  const maximum = await ask(['own', SHARED()], { privacy: 'maximum' });
  for (const { sources } of [local, maximum])
    assert.deepEqual(
      sources.map(({ state, trouble }) => [state, trouble?.code]),
      [
        ['answered', 'no_vectors'],
        ['refused', 'privacy_unmet'],
      ],
    );
  await assert.rejects(ask([SHARED()], { privacy: 'local' }), { code: 'privacy_unmet' });
  await assert.rejects(ask(['@nobody:notes']), { code: 'grant_unknown' });
  await assert.rejects(ask(['own', 'own']), { code: 'kbs_invalid' });
});

test('at medium personal data of a question does not reach the peer', async () => {
  const leave = questionsThatLeave(holder.config, {
    standing: () => ({ tier: 'unknown', pledge: false, region: null }),
  });
  const left = leave('What did anna.berg@example.org write about the lease?', 'medium', owner.peer);
  assert.doesNotMatch(left, /anna|example\.org/i);
  assert.match(left, /lease/);
});

test('a peer asks only so often, and one that is gone is said to be offline', async () => {
  await fill(stranger, 'few', { 'a.txt': 'boat house' });
  const few = await stranger.desk.shares.give('few', { with: holder.peer, rights: ['search'], forMs: DAY });
  await holder.desk.shares.accept(few.text);
  await holder.swarm.learn(stranger.peer, stranger.swarm.addresses);
  const source = `@${stranger.peer}:few`;
  const codes: (string | undefined)[] = [];
  for (let i = 0; i < 3; i++) codes.push((await ask([source])).sources[0]!.trouble?.code);
  assert.deepEqual(codes, ['no_vectors', 'no_vectors', 'rag_busy']);
  await stranger[Symbol.asyncDispose]();
  const told = await ask([source, 'own']);
  assert.deepEqual(
    told.sources.map(({ state }) => state),
    ['offline', 'answered'],
  );
});
