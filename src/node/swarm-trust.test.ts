import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { type CborValue, createManualClock, encodeCbor, silentLogger } from '../base/index.ts';
import type { ChatEvent, ChatRequest, PeerBackend } from '../gateway/index.ts';
import { createIdentity, type Identity } from '../identity/index.ts';
import { openTrust, type Trust } from '../trust/index.ts';
import {
  CREDENTIAL_BOUNDS,
  decodeNews,
  decodeShown,
  encodeNews,
  encodeShown,
} from './swarm-credentials-wire.ts';
import { createConduct } from './swarm-trust.ts';
import { judge, type OwnToken } from './swarm-trust-audits.ts';
import { createSeen } from './swarm-trust-seen.ts';
import { type PeerWatch, type SeenChat, watchedPeer } from './swarm-trust-watch.ts';

const key = (byte: number): Identity => createIdentity(new Uint8Array(32).fill(byte));
const NOW = Date.UTC(2026, 10, 22);

async function withTrust(
  work: (trust: Trust, clock: ReturnType<typeof createManualClock>) => void | Promise<void>,
) {
  const home = await mkdtemp(join(tmpdir(), 'kith-conduct-'));
  try {
    const clock = createManualClock(NOW);
    using trust = openTrust({ home, clock, self: key(1).peerId });
    await work(trust, clock);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test('breaking the rules of the wire lowers a score by moderation, and three times in ten minutes strikes', async () => {
  await withTrust(async (trust, clock) => {
    const peer = key(2).peerId;
    const note = createConduct({ trust, clock, log: silentLogger });
    for (let n = 0; n < 60; n++) trust.observe(peer, 'availability', 1);
    const before = trust.score(peer).score;
    note(peer, 'slow_reader');
    note(peer, 'garbage');
    const after = trust.score(peer);
    // b = 1.25 * .40 / (1.25 * .40 + 60 * .25 + 2.5) = .028: less than a tenth costs nothing.
    assert.equal(after.score, before);
    note(peer, 'oversize');
    await clock.advance(600_000);
    note(peer, 'garbage');
    assert.equal(trust.score(peer).quarantineUntil, null);
    note(peer, 'garbage');
    note(peer, 'stream_flood');
    const struck = trust.score(peer);
    assert.notEqual(struck.quarantineUntil, null);
    assert.match(struck.terms.find(({ name }) => name === 'strikes')!.detail, /^hostile_conduct 0 d ago/);
    assert.match(
      struck.terms.find(({ name }) => name === 'moderation')!.detail,
      /bad: broke the rules of the wire 5\.2 times$/,
    );
  });
});

test('a stranger that misbehaves is not struck, so that no crowd of strangers fills the store for a month', async () => {
  await withTrust((trust, clock) => {
    const peer = key(3).peerId;
    const note = createConduct({ trust, clock, log: silentLogger });
    for (let n = 0; n < 10; n++) note(peer, 'garbage');
    const { score, quarantineUntil, terms } = trust.score(peer);
    assert.deepEqual([score, quarantineUntil], [0, null]);
    // b = 10 * .40 / (10 * .40 + 2.5): more than half is bad.
    assert.equal(terms.find(({ name }) => name === 'moderation')!.value, 0);
    assert.equal(trust.dealings(peer), 0);
  });
});

const pieces = (most: number, maxBytes: number) =>
  fc.array(fc.uint8Array({ maxLength: maxBytes }), { maxLength: most });
const lists = fc.array(
  fc.record(
    {
      issuer: fc.string({ minLength: 1, maxLength: 128 }),
      id: fc.string({ minLength: 1, maxLength: 300 }),
      from: fc.nat(),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 8 },
);

test('what is shown comes back as it was, and never larger than its bound', () => {
  const plain = (all: readonly Uint8Array[]) => all.map((each) => [...each]);
  fc.assert(
    fc.property(
      pieces(4, 300),
      pieces(4, 300),
      pieces(4, 300),
      lists,
      (credentials, endorsements, handOvers, known) => {
        const shown = { credentials, endorsements, handOvers, lists: known };
        const back = decodeShown(encodeShown(shown));
        assert.deepEqual(plain(back.credentials), plain(credentials));
        assert.deepEqual(plain(back.endorsements), plain(endorsements));
        assert.deepEqual(plain(back.handOvers), plain(handOvers));
        assert.deepEqual(back.lists, known);
        const news = { shown: known.length % 2 === 0, lists: known };
        assert.deepEqual(decodeNews(encodeNews(news)), news);
      },
    ),
  );
  const large = Array.from({ length: 100 }, () => new Uint8Array(4096));
  const most = encodeShown({ credentials: large, endorsements: large, handOvers: [], lists: [] });
  assert.ok(most.length <= CREDENTIAL_BOUNDS.shownBytes);
  assert.equal(decodeShown(most).credentials.length, 16);
});

test('what is out of bounds or of another form is refused before it is looked at', () => {
  const good = { c: [], e: [], h: [], l: [] };
  const tooMany = Array.from({ length: 17 }, () => new Uint8Array(1));
  const forms: CborValue[] = [
    [],
    'text',
    { ...good, x: 1 },
    { c: [], e: [], h: [] },
    { ...good, c: tooMany },
    { ...good, c: [new Uint8Array(4097)] },
    { ...good, c: ['text'] },
    { ...good, h: [new Uint8Array(1025)] },
    { ...good, l: [['did', 'name', -1]] },
    { ...good, l: [['', 'name', 1]] },
    { ...good, l: [['did', 'name']] },
    { ...good, l: [['did', 'name', 1.5]] },
  ];
  for (const form of forms)
    assert.throws(() => decodeShown(encodeCbor(form)), { code: 'peer_malformed' }, JSON.stringify(form));
  assert.throws(() => decodeNews(encodeCbor({ c: 1, l: [] })), { code: 'peer_malformed' });
  assert.throws(() => decodeShown(new Uint8Array(300_000)));
});

const bytes = (text: string) => new TextEncoder().encode(text);
const token = (text: string, logprob = -0.1, ...top: [string, number][]): OwnToken => ({
  bytes: bytes(text),
  logprob,
  top: [[text, logprob] as const, ...top].map(([each, l]) => ({ bytes: bytes(each), logprob: l })),
});

test('an audit tells a near tie from a wrong answer, and says nothing in between', () => {
  const own = [
    token('Paris'),
    token(' is', -0.6, [' was', -1.2], [' may', -3.2], [' had', -5]),
    token(' big'),
  ];
  const verdict = (answer: string) => judge(bytes(answer), own);
  assert.deepEqual(verdict('Paris is big'), { verdict: 'right', tokens: 3 });
  assert.equal(verdict('Paris is').verdict, 'open');
  // What comes after a near tie began otherwise, and is not compared.
  assert.deepEqual(verdict('Paris was a city'), { verdict: 'right', tokens: 2 });
  assert.equal(verdict('Paris may be').verdict, 'open');
  assert.equal(verdict('Paris had been').verdict, 'wrong');
  assert.equal(verdict('Paris, of course').verdict, 'wrong');
  assert.equal(verdict('London is big').verdict, 'open', 'with one alternative known, little is known');
});

const chatRequest = { signal: new AbortController().signal } as ChatRequest;
const receipt = { backend: 'b', model: 'm', queueMs: 0, prefillMs: 0, decodeMs: 0, notes: [] };

/** A backend that takes as long as it is told. */
function peerThat(answer: () => AsyncGenerator<ChatEvent>): PeerBackend {
  return { peer: 'p', chat: answer } as unknown as PeerBackend;
}

test('what is seen of an answer is the time that was waited for it, not the time that its reader took', async () => {
  const clock = createManualClock(NOW);
  const seen: SeenChat[] = [];
  const failed: string[] = [];
  const watch: PeerWatch = {
    wantsText: () => true,
    answered: (one) => seen.push(one),
    embedded: () => {},
    failed: (peer) => failed.push(peer),
  };
  const backend = watchedPeer(
    peerThat(async function* () {
      yield { type: 'start', backend: 'b', model: 'm' };
      await clock.advance(100);
      yield { type: 'text', choice: 0, text: 'one', logprobs: null };
      await clock.advance(50);
      yield { type: 'text', choice: 0, text: ' two', logprobs: null };
      yield { type: 'usage', promptTokens: 7, cachedTokens: 0, completionTokens: 2, receipt };
    }),
    watch,
    clock,
  );
  for await (const _ of backend.chat(chatRequest)) await clock.advance(10_000);
  assert.deepEqual(seen, [
    {
      ...{ peer: 'p', model: 'm', firstMs: 100, restMs: 50, promptTokens: 7, completionTokens: 2 },
      ...{ characters: 7, text: 'one two' },
    },
  ]);
  const cut = Object.assign(new Error('cut'), { code: 'peer_cut' });
  let ended = false;
  const failing = (error: Error) =>
    watchedPeer(
      // biome-ignore lint/correctness/useYield: it fails before its first event
      peerThat(async function* () {
        throw error;
      }),
      watch,
      clock,
    );
  await assert.rejects(failing(cut).chat(chatRequest)[Symbol.asyncIterator]().next());
  assert.deepEqual(failed, [], 'what is no error of this program says nothing');
  const left = watchedPeer(
    peerThat(async function* () {
      try {
        yield { type: 'text', choice: 0, text: 'one', logprobs: null };
        yield { type: 'text', choice: 0, text: 'two', logprobs: null };
      } finally {
        ended = true;
      }
    }),
    watch,
    clock,
  );
  for await (const _ of left.chat(chatRequest)) break;
  assert.equal(ended, true);
  assert.equal(seen.length, 1);
});

test('latency is over what a prompt of its length may take, throughput over what was announced', async () => {
  const noted: [string, number][] = [];
  const tasks: Promise<void>[] = [];
  const clock = createManualClock(NOW);
  const seen = createSeen({
    trust: { observe: (_peer, dimension, x) => noted.push([dimension, Number(x.toFixed(3))]) },
    registry: { of: () => [{ model: { hash: 'aa', quant: 'Q8_0' }, tokensPerSecond: 100 }] as never },
    swarm: { ping: async () => 500 },
    hashOf: async () => 'aa',
    audits: { wantsText: () => false, take: () => assert.fail('no audit was asked for') },
    ...{ clock, log: silentLogger, signal: new AbortController().signal },
    behind: (_what, work) => tasks.push(work()),
  });
  const one = { peer: 'p', model: 'm', promptTokens: 400, characters: 900, text: null };
  seen.answered({ ...one, firstMs: 8000, restMs: 4000, completionTokens: 201 }, chatRequest);
  await Promise.all(tasks);
  assert.deepEqual(noted.sort(), [
    ['availability', 1],
    ['latency', 0.5],
    ['latency', 0.5],
    ['throughput', 0.5],
  ]);
  noted.length = 0;
  // Tokens that nobody saw a character of are no speed; a peer is pinged every ten minutes.
  seen.answered({ ...one, firstMs: 10, restMs: 1000, characters: 60, completionTokens: 10_000 }, chatRequest);
  seen.failed('p');
  await Promise.all(tasks);
  assert.deepEqual(noted.sort(), [
    ['availability', 0],
    ['availability', 1],
    ['latency', 1],
    ['throughput', 0.59],
  ]);
});
