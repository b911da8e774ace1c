import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { canonicalJson } from '../../base/index.ts';
import { didPeerOf } from '../key/names.ts';
import { createIdentity } from '../key/sign.ts';
import { type HandOver, readHandOver, signHandOver } from './statement.ts';
import { conflictsAmong, requireChain, successionOf } from './succession.ts';

const at = Date.UTC(2026, 10, 21);
const people = Array.from({ length: 8 }, (_, i) => createIdentity(new Uint8Array(32).fill(i + 1)));
const [anna, bo, cleo] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
const step = (from: number, to: number, when = at) => signHandOver(people[from]!, people[to]!, when);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (statement: HandOver) => new TextDecoder().decode(statement.bytes);
const edited = (statement: HandOver, change: object) =>
  bytesOf(canonicalJson({ ...JSON.parse(textOf(statement)), ...change }));

test('a hand-over that both keys signed is read as it was said', () => {
  const made = signHandOver(anna, bo, at);
  assert.deepEqual(readHandOver(made.bytes, at), { from: anna.did, to: bo.did, at, bytes: made.bytes });
});

test('these are the bytes of version 1', () => {
  const one = createIdentity(new Uint8Array(32).fill(1));
  const two = createIdentity(new Uint8Array(32).fill(2));
  assert.equal(textOf(signHandOver(one, two, 1_763_683_200_000)), GOLDEN);
});

test('every changed field is refused', () => {
  const made = signHandOver(anna, bo, at);
  const { fromSignature, toSignature } = JSON.parse(textOf(made));
  const cases: object[] = [
    { at: at + 1 },
    { at: at - 1 },
    { at: 1.5 },
    { at: `${at}` },
    { at: Number.MAX_SAFE_INTEGER },
    { from: cleo.did },
    { to: cleo.did },
    { from: bo.did, to: anna.did },
    { fromSignature: toSignature, toSignature: fromSignature },
    { toSignature: fromSignature },
    { fromSignature: '' },
    { fromSignature: `${fromSignature}=` },
    { from: didPeerOf(anna.publicKey) },
    { from: anna.peerId },
    { type: 'HandOver' },
    { v: 2 },
    { more: 1 },
  ];
  for (const change of cases)
    assert.throws(
      () => readHandOver(edited(made, change), at),
      { code: 'rotation_invalid' },
      JSON.stringify(change),
    );
});

test('one signature is not enough, whoever gave it', () => {
  const said = { type: 'KithHandOver', v: 1, from: anna.did, to: bo.did, at };
  const signed = bytesOf(canonicalJson(said));
  const by = (who: typeof anna) => Buffer.from(who.sign('rotation', signed)).toString('base64url');
  for (const [fromSignature, toSignature] of [
    [by(anna), by(anna)],
    [by(bo), by(bo)],
    [by(cleo), by(bo)],
    [by(anna), by(cleo)],
  ])
    assert.throws(() => readHandOver(bytesOf(canonicalJson({ ...said, fromSignature, toSignature })), at), {
      code: 'rotation_invalid',
    });
});

test('signatures for another purpose do not hand anything over', () => {
  const said = { type: 'KithHandOver', v: 1, from: anna.did, to: bo.did, at };
  const signed = bytesOf(canonicalJson(said));
  const by = (who: typeof anna) => Buffer.from(who.sign('message', signed)).toString('base64url');
  const bytes = bytesOf(canonicalJson({ ...said, fromSignature: by(anna), toSignature: by(bo) }));
  assert.throws(() => readHandOver(bytes, at), { code: 'rotation_invalid' });
});

test('a key does not follow itself', () => {
  assert.throws(() => signHandOver(anna, anna, at), { code: 'rotation_invalid' });
  const made = signHandOver(anna, bo, at);
  assert.throws(() => readHandOver(edited(made, { to: anna.did }), at), { code: 'rotation_invalid' });
});

test('the same statement in other bytes is refused', () => {
  const made = signHandOver(anna, bo, at);
  const text = textOf(made);
  const json = JSON.parse(text);
  for (const other of [
    ` ${text}`,
    `${text}\n`,
    JSON.stringify(json, null, 1),
    JSON.stringify(Object.fromEntries(Object.entries(json).reverse())),
    text.replace('{', `{"at":${at},`),
    text.replace(`"at":${at}`, `"at":${at}.0`),
    text.replace('"KithHandOver"', '"KithH\\u0061ndOver"'),
    `\ufeff${text}`,
    text.slice(0, -1),
    'null',
    '[]',
    '{}',
    ' '.repeat(5000),
  ])
    assert.throws(() => readHandOver(bytesOf(other), at), { code: 'rotation_invalid' }, other.slice(0, 60));
});

test('a statement from the future is refused, but a clock may be five minutes ahead', () => {
  const made = signHandOver(anna, bo, at);
  assert.ok(readHandOver(made.bytes, at - 300_000));
  assert.throws(() => readHandOver(made.bytes, at - 300_001), { code: 'rotation_invalid', message: /clock/ });
});

test('random bytes and flipped bits are refused without another error', () => {
  const made = signHandOver(anna, bo, at);
  fc.assert(
    fc.property(fc.nat({ max: made.bytes.length - 1 }), fc.nat({ max: 7 }), (where, bit) => {
      const changed = Uint8Array.from(made.bytes);
      changed[where]! ^= 1 << bit;
      assert.throws(() => readHandOver(changed, at), { code: 'rotation_invalid' });
    }),
    { numRuns: 150 },
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(bytesOf)), (bytes) => {
      assert.throws(() => readHandOver(bytes, at), { code: 'rotation_invalid' });
    }),
    { numRuns: 150 },
  );
});

test('a chain leads from its first key to its last', () => {
  const chain = [step(0, 1), step(1, 2, at + 5), step(2, 3, at + 5)];
  assert.deepEqual(requireChain(chain), { first: people[0]!.did, last: people[3]!.did });
  assert.deepEqual(requireChain(chain.slice(0, 1)), { first: people[0]!.did, last: people[1]!.did });
});

test('a chain with a gap, a step back in time, a fork or a circle is refused', () => {
  for (const chain of [
    [],
    [step(0, 1), step(2, 3)],
    [step(1, 2), step(0, 1)],
    [step(0, 1, at + 1), step(1, 2, at)],
    [step(0, 1), step(1, 0)],
    [step(0, 1), step(1, 2), step(2, 0), step(0, 3)],
    [step(0, 1), step(1, 2), step(2, 1), step(1, 3)],
  ])
    assert.throws(() => requireChain(chain), { code: 'rotation_invalid' });
});

test('two successors of one key are a conflict, with both statements as evidence', () => {
  const [first, second] = [step(1, 2), step(1, 3)];
  const statements = [step(0, 1), first, second, step(2, 4)];
  for (const list of [statements, statements.toReversed()]) {
    const found = successionOf(people[0]!.did, list);
    assert.equal(found.current, people[1]!.did);
    assert.deepEqual(found.chain, [statements[0]]);
    assert.equal(found.conflict?.from, people[1]!.did);
    assert.deepEqual(new Set(found.conflict?.statements.map(({ to }) => to)), new Set([first.to, second.to]));
    assert.equal(conflictsAmong(list).length, 1);
  }
});

test('one successor said twice is no conflict, nor are two keys with one successor', () => {
  assert.deepEqual(conflictsAmong([step(0, 1), step(0, 1), step(0, 1, at + 1), step(2, 1)]), []);
});

test('a key is followed through statements in any order, and one without any stays itself', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), (order) => {
      const found = successionOf(
        people[0]!.did,
        order.map((i) => chain[i]!),
      );
      assert.equal(found.current, people[6]!.did);
      assert.deepEqual(found.chain, chain);
    }),
    { numRuns: 30 },
  );
  assert.deepEqual(successionOf(people[7]!.did, chain), {
    current: people[7]!.did,
    chain: [],
    conflict: null,
  });
});
const chain = [0, 1, 2, 3, 4, 5].map((i) => step(i, i + 1, at + i));

test('a circle is refused, and so is a chain longer than is followed', () => {
  assert.throws(() => successionOf(people[0]!.did, [step(0, 1), step(1, 2), step(2, 0)]), {
    code: 'rotation_invalid',
  });
  const many = Array.from({ length: 66 }, (_, i) => createIdentity(new Uint8Array(32).fill(i + 50)));
  const long = many.slice(1).map((to, i) => signHandOver(many[i]!, to, at));
  assert.equal(successionOf(many[0]!.did, long.slice(0, 64)).chain.length, 64);
  assert.throws(() => successionOf(many[0]!.did, long), { code: 'rotation_invalid' });
});

const GOLDEN =
  '{"at":1763683200000,"from":"did:key:z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX","fromSignature":"09I_0ggZxO5g3H3B21s253tVjF9VLFkR5VQt69SRMQQLFOfH8NofWs0zeJbKvgaXGa4PFtlFFU_kNaXDZpE1Bw","to":"did:key:z6Mko9hTggMwjSTEaJaPUfE6tqcy2xvU6BnNq3e3o8qVBiyH","toSignature":"khTFBfboTao6tYsOzRIeBI6wBZIyIGBXDFf3HiJHxLynIXBxpqAPprXSqba89oolbVHi4ZFVDpxASoW19wr6Bw","type":"KithHandOver","v":1}';
