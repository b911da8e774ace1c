/** What many audits together say of a peer that each of them let pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { COPIES, compare } from './compare.ts';
import { Tally } from './tally.ts';

const WIDTH = 192;
const ROWS = 17;
const SPAN = { from: 3, to: 6 };
const random = createSeededRandom(5);
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());

/** An audit of a machine that rounds by 1 % and alters so many of its rows by 1 %; what it adds, null when it is refused at once. */
function audit(share: number) {
  const truth = Float32Array.from({ length: ROWS * WIDTH }, normal);
  const machine = () => truth.map((value) => value * (1 + 0.01 * normal()));
  const claim = machine();
  for (let row = 0; row < ROWS; row++)
    if (random.float() < share)
      for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++) claim[i]! *= 1 + 0.01 * normal();
  const copies = Array.from({ length: COPIES }, machine);
  const { agrees, tails } = compare(claim, machine(), copies, WIDTH);
  assert.ok(tails !== undefined);
  return agrees ? tails : null;
}

/** Audits until the tally speaks, at most so many. */
function auditsUntilFound(share: number, most: number): { audits: number; by: readonly (string | null)[] } {
  const tally = new Tally();
  for (let i = 0; i < most; i++) {
    const tails = audit(share);
    const steps = Array.from({ length: ROWS }, (_, row) => i * ROWS + row + 1);
    const found = tails && tally.note(SPAN, 'peer', i % 2 === 0 ? 'one' : 'other', tails, steps);
    if (found) return { audits: i + 1, by: [...found.by].sort() };
  }
  return { audits: most, by: [] };
}

test('an honest machine is not found in hundreds of audits', () => {
  assert.deepEqual(auditsUntilFound(0, 300), { audits: 300, by: [] });
});

test('one that alters a tenth of its rows by as much as machines round is found in some dozens of them', () => {
  const { audits, by } = auditsUntilFound(0.1, 200);
  assert.ok(audits < 120, `${audits}`);
  assert.deepEqual(by, ['one', 'other']);
});

test('what one witness alone says takes twice as much, and names him', () => {
  const tally = new Tally();
  for (let i = 0; i < 20; i++) tally.note(SPAN, 'other', null, audit(0)!, [i + 1]);
  const tails = { claim: [9, 1, 1, 1], copies: [] };
  const found = (by: (i: number) => string) => {
    for (let i = 1; ; i++) {
      const steps = [0, 1, 2, 3].map((row) => 1000 * by(1).length + i * 4 + row);
      const evidence = tally.note(SPAN, `of ${by(1)}`, by(i), tails, steps);
      if (evidence !== null) return { audits: i, by: evidence.by };
    }
  };
  const [alone, two] = [found(() => 'one'), found((i) => (i % 2 === 0 ? 'another' : 'second'))];
  assert.deepEqual(alone.by, ['one']);
  assert.deepEqual(new Set(two.by), new Set(['another', 'second']));
  assert.ok(alone.audits >= 2 * two.audits - 1, `${alone.audits} and ${two.audits}`);
});

test('a row that is audited again says nothing new', () => {
  const tally = new Tally();
  const steps = Array.from({ length: ROWS }, (_, row) => row + 1);
  for (let i = 0; i < 20; i++) tally.note(SPAN, 'other', null, audit(0)!, steps);
  const tails = { claim: Array.from({ length: ROWS }, (_, row) => (row < 2 ? 9 : 1)), copies: [] };
  for (let i = 0; i < 100; i++) assert.equal(tally.note(SPAN, 'peer', null, tails, steps), null);
});
