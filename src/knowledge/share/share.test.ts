import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { canonicalBytes, createSeededRandom, encodeCbor } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { fuseSources } from './fuse.ts';
import { GRANT_BOUNDS, type GrantTerms, grantText, readGrant, readGrantText, signGrant } from './grant.ts';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  RAG_BOUNDS,
  type RagHit,
  type RagQuestion,
} from './wire.ts';

const owner = createIdentity(new Uint8Array(32).fill(1));
const holder = createIdentity(new Uint8Array(32).fill(2));
const random = createSeededRandom(5);
const DAY = 86_400_000;
const TERMS: GrantTerms = {
  ...{ holder: holder.did, kb: 'kb_01', name: 'notes', rights: ['search'] },
  ...{
    filter: { paths: ['open/'], tags: ['work'] },
    from: 1_700_000_000_000,
    until: 1_700_000_000_000 + DAY,
  },
};

test('a grant comes back from its line of text, also over lines that a mail program broke', () => {
  const grant = signGrant(owner, TERMS, random);
  const text = grantText(grant);
  assert.match(text, /^kith-grant:[\w-]+$/);
  const broken = `  ${text.slice(0, 60)}\r\n${text.slice(60)}\n`;
  assert.deepEqual(readGrantText(broken), grant);
  const { id, bytes, issuer, ...terms } = grant;
  assert.deepEqual([terms, issuer], [TERMS, owner.did]);
  assert.ok(id.length === 32 && bytes.length < 1024);
});

test('paths, tags and rights are put in order, and said once', () => {
  const grant = signGrant(
    owner,
    { ...TERMS, rights: ['search', 'answer', 'search'], filter: { paths: ['b', 'a/', 'b'] } },
    random,
  );
  assert.deepEqual([grant.rights, grant.filter], [['answer', 'search'], { paths: ['a/', 'b'] }]);
});

test('what is no grant is not signed: for ever, for nobody, for oneself, for too many paths', () => {
  const refused: readonly Partial<GrantTerms>[] = [
    { until: TERMS.from + GRANT_BOUNDS.lifeMs + 1 },
    { until: TERMS.from },
    { holder: owner.did },
    { holder: 'did:web:example.org' },
    { rights: [] },
    { name: 'a,b' },
    { filter: { paths: Array.from({ length: 33 }, (_, i) => `p${i}`) } },
    { filter: { paths: ['x'.repeat(513)] } },
    { filter: { tags: [] } },
  ];
  for (const wrong of refused)
    assert.throws(() => signGrant(owner, { ...TERMS, ...wrong }, random), { code: 'grant_invalid' });
});

test('a grant that was changed anywhere is none', () => {
  const { bytes } = signGrant(owner, TERMS, random);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = changed[at]! ^ by;
      assert.throws(() => readGrant(changed), { code: 'grant_invalid' });
    }),
    { numRuns: 300 },
  );
  const said = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  const others = [
    { ...said, rights: ['answer', 'search'] },
    { ...said, filter: undefined },
    { ...said, more: 1 },
    { ...said, issuer: holder.did, holder: owner.did },
  ];
  for (const other of others)
    assert.throws(() => readGrant(canonicalBytes(JSON.parse(JSON.stringify(other)))), {
      code: 'grant_invalid',
    });
  assert.throws(() => readGrant(new TextEncoder().encode(JSON.stringify(said, null, 1))), {
    code: 'grant_invalid',
  });
});

test('a signature for another purpose makes no grant', () => {
  const { bytes } = signGrant(owner, TERMS, random);
  const { signature: _, ...said } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  const signature = Buffer.from(owner.sign('message', canonicalBytes(said))).toString('base64url');
  assert.throws(() => readGrant(canonicalBytes({ ...said, signature })), { code: 'grant_invalid' });
});

test('texts that are no grants say so, whatever they are', () => {
  const text = grantText(signGrant(owner, TERMS, random));
  for (const wrong of [
    '',
    'kith-grant:',
    text.slice(0, -3),
    text.replace('kith-grant:', ''),
    `${text}=`,
    'x'.repeat(1e6),
  ])
    assert.throws(() => readGrantText(wrong), { code: 'grant_invalid' });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (noise) => {
      assert.throws(() => readGrantText(`kith-grant:${noise}`), { code: 'grant_invalid' });
    }),
    { numRuns: 200 },
  );
});

const QUESTION: RagQuestion = {
  ...{ op: 'search', grant: new Uint8Array(300).fill(7), question: 'where is it?', k: 10, mode: 'auto' },
  filter: { paths: ['open/a.md'] },
};
const hitOf = (id: number, more: Partial<RagHit> = {}): RagHit => ({
  ...{
    id: id.toString(16).padStart(32, '0'),
    path: `p${id}.md`,
    title: 'T',
    text: `text ${id}`,
    position: 0,
  },
  ...{ place: { page: 3 }, score: 1.5, words: [2.5, 1], vector: null },
  ...more,
});

test('questions and answers come back as they were, and nothing beside them is taken', () => {
  for (const request of [QUESTION, { ...QUESTION, filter: null }, { op: 'list' } as const])
    assert.deepEqual(decodeRequest(encodeRequest(request)), request);
  const reply = {
    hits: [hitOf(1), hitOf(2)],
    by: ['words'] as const,
    degraded: null,
    embedder: 'e',
    cut: false,
  };
  assert.deepEqual(decodeReply(encodeReply(reply)), reply);
  const wrong: readonly Record<string, unknown>[] = [
    { k: 0 },
    { k: 51 },
    { question: '' },
    { question: 'x'.repeat(4001) },
    { mode: 'all' },
    { grant: new Uint8Array(8193) },
    { filter: { paths: Array(33).fill('a') } },
    { filter: { types: ['pdf'] } },
    { filter: 'open/' },
    { more: 1 },
    { op: 'write' },
  ];
  for (const each of wrong)
    assert.throws(() => decodeRequest(encodeCbor({ ...QUESTION, ...each } as never)), {
      code: 'peer_malformed',
    });
});

test('an answer keeps within its bytes: long texts are cut, and hits that find no room are left out', () => {
  const long = '\u{1f600}'.repeat(20_000);
  const hits = Array.from({ length: 50 }, (_, i) => hitOf(i, { text: long }));
  const bytes = encodeReply({ hits, by: [], degraded: null, embedder: null, cut: false });
  assert.ok(bytes.length <= RAG_BOUNDS.replyBytes);
  const read = decodeReply(bytes);
  assert.ok(read.cut && read.hits.length >= 7 && read.hits.length < 50);
  assert.ok(read.hits.every(({ text }) => text.isWellFormed() && long.startsWith(text)));
});

test('bytes of strangers are refused with an error of ours, never with another', () => {
  const good = encodeRequest(QUESTION);
  const reply = encodeReply({ hits: [hitOf(1)], by: ['words'], degraded: null, embedder: null, cut: false });
  const typed = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      assert.match(String((error as { code?: string }).code), /^(peer_malformed|cbor_invalid)$/);
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(255), (noise, at, by) => {
      typed(() => decodeRequest(noise));
      typed(() => decodeReply(noise));
      for (const [bytes, read] of [
        [good, decodeRequest],
        [reply, decodeReply],
      ] as const) {
        const changed = Uint8Array.from(bytes);
        changed[at % changed.length] = by;
        typed(() => read(changed));
      }
    }),
    { numRuns: 500 },
  );
});

test('what several sources found is one ranking: shared passages rise, and all their places are named', () => {
  const one = { source: 'a', hits: [hitOf(1), hitOf(2), hitOf(3)] };
  const two = { source: '@p:b', hits: [hitOf(4), hitOf(3, { path: 'other.md' })] };
  const fused = fuseSources('?', [one, two], 10);
  assert.deepEqual(
    fused.map(({ id }) => Number.parseInt(id, 16)),
    [3, 1, 4, 2],
  );
  assert.deepEqual(
    fused[0]!.places.map(({ source, path, rank }) => [source, path, rank]),
    [
      ['a', 'p3.md', 3],
      ['@p:b', 'other.md', 2],
    ],
  );
  assert.deepEqual(fuseSources('?', [one, two], 2), fused.slice(0, 2));
});

test('a text under the id of another passage stands for itself', () => {
  const forged = hitOf(1, { text: 'something else' });
  const fused = fuseSources(
    '?',
    [
      { source: 'a', hits: [hitOf(1)] },
      { source: '@p:b', hits: [forged, forged, forged] },
    ],
    10,
  );
  assert.deepEqual(
    fused.map(({ text, places }) => [text, places.length]),
    [
      ['text 1', 1],
      ['something else', 3],
    ],
  );
  assert.ok(fused[1]!.score <= fused[0]!.score, 'saying it often does not make it better');
});

test('the first of a source that says nothing of the question comes after what has its words', () => {
  const weak = hitOf(1, { text: 'Tea at the boat house.' });
  const good = hitOf(2, { text: 'The lease of the boat house ends in June.' });
  const sources = [
    { source: 'a', hits: [weak] },
    { source: '@p:b', hits: [good, hitOf(3, { text: 'Nothing of it.' })] },
  ];
  const order = fuseSources('When does the lease of the boat house end?', sources, 10).map(({ id }) => id);
  assert.deepEqual(order, [good.id, weak.id, hitOf(3).id]);
});
