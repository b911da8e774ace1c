import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, systemRandom } from '../../base/index.ts';
import { rootOf } from '../keys/keys.ts';
import { CIPHER_BYTES, createKeeper, packShare, REPLY_BYTES, SHARE_BYTES, unpackShare } from './bob.ts';
import { createBlockMemory, gatherRows, rowMemory, scoreBlocks, scoreMemory } from './eve.ts';
import { createKernel } from './kernel.ts';
import { BLOCK_VECTORS, CANARIES, DIMENSIONS, RING } from './parameters.ts';
import { askRows, readRows } from './pir.ts';
import { MAX_LENGTH, quantise } from './quantise.ts';
import { canariesOf, errorsOf, publicPolynomial, secretOf, streamOf, weightsOf } from './stream.ts';

const random = createSeededRandom(21);
const keys = rootOf(random.bytes(32)).keysOf('books', 1);
const keeper = createKeeper(keys);

/** As long as any may be, in all directions, with edges where all numbers round away from zero. */
function vectorOf(kind: number): Float32Array {
  const out = new Float32Array(DIMENSIONS);
  if (kind % 4 === 0) out[kind % DIMENSIONS] = kind % 8 === 0 ? 1 : -1;
  else if (kind % 4 === 1) out.fill(1 / Math.sqrt(DIMENSIONS));
  else for (let i = 0; i < DIMENSIONS; i++) out[i] = random.float() - (kind % 4 === 2 ? 0.5 : 0.3);
  const length = Math.hypot(...out);
  return out.map((value) => value / length);
}
const dot = (a: Int8Array, b: Int8Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const rows = Array.from({ length: BLOCK_VECTORS }, (_, i) => quantise(vectorOf(i)));
const block = keeper.seal(rows, random);
const eves = [scoreMemory(4 * CIPHER_BYTES), scoreMemory(4 * CIPHER_BYTES)] as const;
const replies = (cipher: Uint8Array, question: { first: Uint8Array; second: Uint8Array }, id = 'a') =>
  [question.first, question.second].map((share, i) => scoreBlocks(eves[i]!, [id], share, () => cipher)) as [
    Uint8Array,
    Uint8Array,
  ];

test('every score is the scalar product, over the full range', () => {
  assert.equal(block.cipher.length, CIPHER_BYTES);
  for (let i = 0; i < 40; i++) {
    const query = i < 20 ? rows[i * 7]! : quantise(vectorOf(i));
    const question = keeper.ask(query, systemRandom);
    assert.equal(question.first.length, SHARE_BYTES);
    const scores = keeper.read(question, block, ...replies(block.cipher, question));
    assert.equal(scores.length, BLOCK_VECTORS);
    for (const [at, row] of rows.entries()) assert.equal(scores[at], dot(row, query));
  }
});

test('no vector is too long for the range, whatever was rounded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: DIMENSIONS, maxLength: DIMENSIONS }),
      (numbers) => {
        const made = quantise(Float32Array.from(numbers));
        assert.ok(dot(made, made) <= MAX_LENGTH ** 2);
      },
    ),
  );
  // Each number at .5: all round away from zero.
  const worst = quantise(new Float32Array(DIMENSIONS).fill(2.5 / 38));
  assert.ok(dot(worst, worst) <= MAX_LENGTH ** 2);
  assert.ok(MAX_LENGTH ** 2 < 2048);
});

test('an Eve who answers anything else is caught, at every score of every slot', () => {
  const question = keeper.ask(rows[3]!, systemRandom);
  const [first, second] = replies(block.cipher, question);
  const altered = { code: 'vault_altered' };
  for (let i = 0; i < 200; i++) {
    const at = (i * 41) % REPLY_BYTES;
    const other = Uint8Array.from(first);
    // The lower bits of a reply are noise; what changes no score does no harm.
    other[at | 1]! ^= 1 << (i & 7);
    assert.throws(() => keeper.read(question, block, other, second), altered, `byte ${at}`);
  }
  const shifted = Uint8Array.from(first);
  for (const at of [101, 2001]) shifted[at]! ^= 0x80;
  assert.throws(
    () => keeper.read(question, block, shifted, second),
    altered,
    'two that even each other out modulo t',
  );
  assert.throws(() => keeper.read(question, block, first, first), altered);
  assert.throws(() => keeper.read(question, block, first, new Uint8Array(5)), altered);
  assert.throws(() => keeper.read(question, { ...block, block: 'ab'.repeat(16) }, first, second), altered);
});

test('one byte flipped in a stored block is caught when it changes a score', () => {
  for (let i = 0; i < 30; i++) {
    const cipher = Uint8Array.from(block.cipher);
    // The highest byte of a number: the share of its dimension would have to be 0 for nothing to change.
    const at = Math.floor(random.float() * (CIPHER_BYTES / 4)) * 4 + 3;
    cipher[at]! ^= 0x40;
    const question = keeper.ask(rows[(i * 5) % rows.length]!, systemRandom);
    const sound = replies(block.cipher, question, 'a');
    const [first, second] = [
      scoreBlocks(eves[0], [`flipped ${i}`], question.first, () => cipher),
      sound[1],
    ] as const;
    if (Buffer.compare(first, sound[0]) === 0) continue;
    const same = Buffer.compare(
      Buffer.from(keeper.read(question, block, ...sound).buffer),
      Buffer.from(safely(() => keeper.read(question, block, first, second))?.buffer ?? new ArrayBuffer(1)),
    );
    if (same !== 0)
      assert.throws(() => keeper.read(question, block, first, second), { code: 'vault_altered' });
  }
});

const safely = (work: () => Int16Array): Int16Array | null => {
  try {
    return work();
  } catch {
    return null;
  }
};

/** Chi squared over `bins` equal bins; for 4095 degrees of freedom 4500 is passed by chance once in 100,000 times. */
function chiSquared(counts: Uint32Array, total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test('each half of a question is uniform, whatever is asked', () => {
  for (const query of [new Int8Array(DIMENSIONS), rows[0]!, rows[1]!]) {
    const counts = [new Uint32Array(4096), new Uint32Array(4096)];
    const questions = 2000;
    for (let i = 0; i < questions; i++) {
      const { first, second } = keeper.ask(query, random);
      for (const [which, share] of [first, second].entries())
        for (const value of unpackShare(share)) counts[which]![value + 2048]! += 1;
    }
    for (const one of counts) assert.ok(chiSquared(one, questions * DIMENSIONS) < 4500);
  }
});

test('the ciphertext of a block looks uniform, and shares nothing with another block of the same vectors', () => {
  const counts = new Uint32Array(4096);
  const words = new Uint32Array(block.cipher.buffer);
  for (const word of words) counts[word >>> 20]! += 1;
  assert.ok(chiSquared(counts, words.length) < 4500);
  const again = new Uint32Array(keeper.seal(rows, random).cipher.buffer);
  let equal = 0;
  for (let i = 0; i < words.length; i++) if (words[i]! >>> 20 === again[i]! >>> 20) equal += 1;
  assert.ok(Math.abs(equal - words.length / 4096) < 6 * Math.sqrt(words.length / 4096), `${equal}`);
});

test('what is drawn has its distribution: secrets ternary, errors binomial, canaries anywhere', () => {
  const { plus, minus } = secretOf(keys.key('secret'), '1');
  for (const list of [plus, minus])
    assert.ok(Math.abs(list.length - RING / 3) < 6 * Math.sqrt((RING * 2) / 9));
  assert.equal(new Set([...plus, ...minus]).size, plus.length + minus.length);
  const errors = Array.from({ length: 40 }, (_, j) => [...errorsOf(keys.key('noise'), '1', j)]).flat();
  const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  const variance = errors.reduce((sum, e) => sum + e * e, 0) / errors.length;
  assert.ok(Math.abs(mean) < 0.07 && Math.abs(variance - 10.5) < 0.3, `${mean} ${variance}`);
  assert.ok(errors.every((e) => Math.abs(e) <= 21));
  const { slots } = canariesOf(keys.key('noise'), '1', CANARIES, DIMENSIONS);
  assert.equal(new Set(slots).size, CANARIES);
  assert.notDeepEqual(slots, canariesOf(keys.key('noise'), '2', CANARIES, DIMENSIONS).slots);
  assert.ok(weightsOf(keys.key('noise'), '1').every((w) => w >= 0 && w < 2 ** 30));
  assert.notDeepEqual(publicPolynomial(keys.key('public'), 0), publicPolynomial(keys.key('public'), 1));
  assert.notDeepEqual(streamOf(keys.key('noise'), 'a', 32), streamOf(keys.key('noise'), 'b', 32));
});

test('shares travel in 12 bits a number', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -2048, max: 2047 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS }),
      (numbers) => {
        assert.deepEqual([...unpackShare(packShare(Int32Array.from(numbers)))], numbers);
      },
    ),
  );
});

test('the kernels compute what they say', () => {
  const n = 64;
  const kernel = createKernel(1 << 20);
  const words = (at: number, count: number) => new Uint32Array(kernel.memory.buffer, at, count);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), (count, seed) => {
      const drawn = createSeededRandom(seed);
      const cells = words(0, count * n);
      for (let i = 0; i < cells.length; i++) cells[i] = drawn.uint32();
      const factors = Int32Array.from({ length: count }, () => (drawn.uint32() % 4096) - 2048);
      new Int32Array(kernel.memory.buffer, 65_536, count).set(factors);
      kernel.multiply(0, 65_536, count, n * 4, 131_072);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < count; j++) sum = (sum + Math.imul(factors[j]!, cells[j * n + i]!)) | 0;
        assert.equal(words(131_072, n)[i], sum >>> 0);
      }
      // a · s modulo X^n + 1
      const a = Array.from({ length: n }, () => drawn.uint32());
      const s = Array.from({ length: n }, () => (drawn.uint32() % 3) - 1);
      const want = new Array<number>(n).fill(0);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          const sign = i + j >= n ? -1 : 1;
          want[(i + j) % n] = (want[(i + j) % n]! + sign * Math.imul(a[i]!, s[j]!)) | 0;
        }
      words(0, 2 * n).set([...a.map((value) => -value >>> 0), ...a]);
      const offsets = [1, -1].map((sign) =>
        [...s.keys()].filter((j) => s[j] === sign).map((j) => (n - j) * 4),
      );
      words(65_536, n).set(offsets.flat());
      const [plus, middle, end] = [
        65_536,
        65_536 + 4 * offsets[0]!.length,
        65_536 + 4 * offsets.flat().length,
      ];
      kernel.turn(0, plus, middle, middle, end, n * 4, 131_072);
      assert.deepEqual(
        [...words(131_072, n)],
        want.map((value) => value >>> 0),
      );
    }),
    { numRuns: 60 },
  );
});

test('rows are fetched from two Eves, and neither half shows which', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(16, 48, 400),
      fc.nat(),
      (perBlock, blocks, rowBytes, seed) => {
        const drawn = createSeededRandom(seed);
        const table = Array.from({ length: blocks }, () => drawn.bytes(perBlock * rowBytes));
        const memories = [rowMemory(perBlock * rowBytes, 1 << 20), rowMemory(perBlock * rowBytes, 1)];
        const wanted = Array.from({ length: 3 }, () => drawn.uint32() % (perBlock * blocks));
        const { first, second } = askRows({ rows: perBlock, blocks, rowBytes }, wanted, 5, drawn);
        const answers = [first, second].map((bits, i) =>
          gatherRows(
            memories[i]!,
            table.map((_, b) => `${b}`),
            { rowBytes, rows: perBlock, questions: 5 },
            bits,
            (id) => {
              const padded = new Uint8Array(Math.ceil((perBlock * rowBytes) / 128) * 128);
              padded.set(table[Number(id)]!);
              return padded;
            },
          ),
        );
        for (const [k, row] of readRows(answers[0]!, answers[1]!, rowBytes, wanted.length).entries()) {
          const at = (wanted[k]! % perBlock) * rowBytes;
          const want = table[Math.floor(wanted[k]! / perBlock)]!.subarray(at, at + rowBytes);
          assert.deepEqual(Buffer.from(row), Buffer.from(want));
        }
        // They differ by one bit for each question, dummies included.
        let bits = 0;
        for (let i = 0; i < first.length; i++)
          for (let x = first[i]! ^ second[i]!; x > 0; x &= x - 1) bits += 1;
        assert.equal(bits, 5);
      },
    ),
    { numRuns: 60 },
  );
});

test('a memory holds the blocks that were used last, and no more than it may', () => {
  const memory = createBlockMemory(1024, 128, 3 * 1024);
  let loads = 0;
  const ask = (id: string) =>
    memory.use(
      id,
      () => {
        loads += 1;
        return new Uint8Array(1024).fill(id.charCodeAt(0));
      },
      ({ kernel, at }) => new Uint8Array(kernel.memory.buffer)[at],
    );
  for (const id of 'abcabc') assert.equal(ask(id), id.charCodeAt(0));
  assert.equal(loads, 3);
  for (const id of 'dab') ask(id);
  assert.equal(loads, 6, 'a made room for d, b for a, c for b');
  memory.forget('a');
  assert.equal(ask('a'), 97);
  assert.equal(loads, 7);
  assert.equal(memory.bytes, 3 * 1024);
});
