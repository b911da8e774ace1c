import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, decodeCbor, encodeCbor, KithError, toHex } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { checkExport, type ExportedWork, readExport } from './exported.ts';
import { contradict, encodeWork, isSignedBy, nameOf, readWork, signWork, type WorkFacts } from './receipt.ts';

const random = createSeededRandom(11);
const shard = createIdentity(random.bytes(32));
const owner = createIdentity(random.bytes(32));

const factsOf = (changes: Partial<WorkFacts> = {}): WorkFacts => ({
  ...{ shard: shard.peerId, owner: owner.peerId, model: 'ab'.repeat(32), from: 3, to: 9 },
  ...{ session: new Uint8Array(32).fill(1), part: 1, book: new Uint8Array(16).fill(2), sequence: 1 },
  ...{ previous: null, prompt: 100, decode: 20, replayed: 0, steps: 21, ms: 900, begun: 1000, ended: 3000 },
  ...{ received: new Uint8Array(32).fill(3), sent: new Uint8Array(32).fill(4) },
  ...changes,
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const some = fc.record({
  from: fc.nat(4000),
  blocks: fc.integer({ min: 1, max: 96 }),
  session: bytes(32),
  part: fc.integer({ min: 1, max: 2 ** 32 }),
  book: bytes(16),
  sequence: fc.integer({ min: 1, max: 2 ** 48 }),
  previous: fc.option(bytes(32)),
  prompt: fc.integer({ min: 0, max: 2 ** 32 }),
  decode: fc.nat(),
  replayed: fc.nat(),
  steps: fc.integer({ min: 1, max: 2 ** 32 }),
  ms: fc.integer({ min: 0, max: 2 ** 40 }),
  begun: fc.integer({ min: 0, max: 8e15 }),
  lasted: fc.nat(),
  received: bytes(32),
  sent: bytes(32),
});

test('a receipt is read as it was written, and has one form', () => {
  fc.assert(
    fc.property(some, ({ blocks, lasted, ...rest }) => {
      const facts = factsOf({ ...rest, to: rest.from + blocks, ended: rest.begun + lasted });
      const written = encodeWork(facts);
      assert.deepEqual(readWork(written), facts);
      assert.deepEqual(encodeWork(readWork(written)), written);
      assert.ok(written.length <= 1024);
    }),
  );
});

test('the bytes of a receipt are these', () => {
  const facts = factsOf({ shard: '12D3Shard', owner: '12D3Owner', previous: new Uint8Array(32).fill(5) });
  assert.equal(
    toHex(encodeWork(facts)),
    'b46162' +
      '1903e8' +
      '616369313244334f776e6572' +
      `61645820${'01'.repeat(32)}` +
      '6165190bb8' +
      '616603' +
      `61685820${'05'.repeat(32)}` +
      `61695820${'03'.repeat(32)}` +
      '616b01' +
      `616c50${'02'.repeat(16)}` +
      `616d5820${'ab'.repeat(32)}` +
      '616e15' +
      '616f14' +
      '61701864' +
      '617101' +
      '617200' +
      '617369313244335368617264' +
      '617409' +
      `61755820${'04'.repeat(32)}` +
      '617601' +
      '6178190384',
  );
});

test('what is no receipt, or passes a bound, is refused with a typed error', () => {
  const sound = decodeCbor(encodeWork(factsOf())) as Record<string, never>;
  const value = fc.oneof(
    fc.integer(),
    fc.constantFrom(2 ** 53 - 1, -1, 0, 2 ** 32 + 1, 1.5, null, true),
    fc.string({ maxLength: 130 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant([]),
  );
  const change = fc.tuple(fc.constantFrom(...Object.keys(sound), 'more'), value);
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const map = { ...sound, ...Object.fromEntries(changes) } as never;
      try {
        const facts = readWork(encodeCbor(map));
        assert.ok(facts.steps > 0 && facts.from < facts.to && facts.begun <= facts.ended);
        for (const count of [facts.prompt, facts.decode, facts.replayed, facts.steps, facts.ms])
          assert.ok(Number.isSafeInteger(count) && count >= 0 && count <= 2 ** 40);
      } catch (error) {
        assert.ok(error instanceof KithError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      assert.throws(() => readWork(noise), KithError);
    }),
  );
});

test('each side signs for this purpose alone, and no byte can change', () => {
  const receipt = encodeWork(factsOf());
  const signature = signWork(receipt, shard);
  assert.ok(isSignedBy(shard.peerId, receipt, signature));
  assert.ok(!isSignedBy(owner.peerId, receipt, signature));
  assert.ok(!isSignedBy('no peer', receipt, signature));
  assert.ok(!isSignedBy(shard.peerId, receipt, shard.sign('receipt', receipt)));
  fc.assert(
    fc.property(fc.nat(receipt.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Uint8Array.from(receipt);
      changed[at]! ^= by;
      assert.ok(!isSignedBy(shard.peerId, changed, signature));
    }),
    { numRuns: 50 },
  );
});

test('two stories of one part of a session, or of one number in a book, contradict each other', () => {
  const one = factsOf();
  const other = { book: new Uint8Array(16).fill(9), sequence: 7 };
  assert.ok(!contradict(one, factsOf()), 'the same receipt twice is none');
  assert.ok(contradict(one, factsOf({ decode: 21 })));
  assert.ok(contradict(one, factsOf({ ...other, decode: 21 })), 'of one part of a session');
  assert.ok(contradict(one, factsOf({ session: new Uint8Array(32), part: 3 })), 'of one number');
  assert.ok(!contradict(one, factsOf({ ...other, part: 2 })));
  assert.ok(
    !contradict(one, factsOf({ book: other.book, session: new Uint8Array(32) })),
    'the same number in another book: the shard has lost its file',
  );
  assert.ok(!contradict(one, factsOf({ owner: shard.peerId, shard: owner.peerId, decode: 21 })));
});

/** A chain of receipts as a file has them. */
function chainOf(count: number, changes: (k: number) => Partial<WorkFacts> = () => ({})): ExportedWork[] {
  let previous: Uint8Array | null = null;
  return Array.from({ length: count }, (_, k) => {
    const receipt = encodeWork(factsOf({ part: k + 1, sequence: k + 1, previous, ...changes(k) }));
    previous = nameOf(receipt);
    const text = (of: Uint8Array) => Buffer.from(of).toString('base64');
    const [ofShard, ofOwner] = [signWork(receipt, shard), signWork(receipt, owner)];
    return { receipt: text(receipt), shardSignature: text(ofShard), ownerSignature: text(ofOwner) };
  });
}

test('a file of receipts tells by itself what is signed, changed, left out, doubled and contradicted', () => {
  const all = chainOf(6);
  const sound = checkExport(readExport(JSON.stringify({ receipts: all, total: 6 })));
  assert.deepEqual(
    [sound.receipts.map(({ state }) => state), sound.contradictions, sound.missing, sound.doubled],
    [Array(6).fill('signed'), [], 0, 0],
  );
  assert.equal(checkExport(all.filter((_, k) => k !== 3)).missing, 1);
  assert.equal(
    checkExport(all.slice(2)).missing,
    0,
    'those before the first were swept, or are in another file',
  );
  assert.equal(checkExport([...all, all[2]!]).doubled, 1);
  const half = checkExport([{ ...all[0]!, ownerSignature: null }]);
  assert.equal(half.receipts[0]!.state, 'half');
  const swapped = checkExport([{ ...all[0]!, ownerSignature: all[0]!.shardSignature }]);
  assert.deepEqual([swapped.receipts[0]!.state, swapped.receipts[0]!.facts?.decode], ['bad', 20]);
  assert.equal(checkExport([{ ...all[0]!, receipt: 'AAAA' }]).receipts[0]!.facts, null);
  const told = checkExport([...all, ...chainOf(1, () => ({ decode: 99 }))]);
  assert.deepEqual(told.contradictions, [[told.receipts[0]!.name, told.receipts.at(-1)!.name]]);
});

test('any other file is refused with a typed error', () => {
  for (const text of [
    '',
    '[]',
    'null',
    '{"receipts":1}',
    '{"receipts":[null]}',
    '{"receipts":[{"receipt":1}]}',
  ])
    assert.throws(() => readExport(text), { code: 'work_export_malformed' }, text);
  fc.assert(
    fc.property(fc.array(fc.record({ receipt: fc.string(), shardSignature: fc.string() })), (receipts) => {
      const told = checkExport(readExport(JSON.stringify({ receipts })));
      assert.ok(told.receipts.every(({ state }) => state === 'bad'));
    }),
  );
});
