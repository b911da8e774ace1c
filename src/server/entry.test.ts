import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../base/index.ts';
import { createEntryCodes, ENTRY_MS, entrySchema } from './entry.ts';

test('a code opens once, within its time, and no other does', () => {
  const clock = createManualClock();
  const codes = createEntryCodes(clock);
  const { code } = codes.make();
  assert.equal(entrySchema.safeParse({ code }).success, true);
  assert.equal(codes.take('A'.repeat(43)), false);
  assert.equal(codes.take(code), true);
  assert.equal(codes.take(code), false);
  const late = codes.make().code;
  clock.advance(ENTRY_MS);
  assert.equal(codes.take(late), false);
});

test('of many codes the newest sixteen are good', () => {
  const codes = createEntryCodes(createManualClock());
  const made = Array.from({ length: 20 }, () => codes.make().code);
  assert.deepEqual(
    made.map((code) => codes.take(code)),
    made.map((_, index) => index >= 4),
  );
});
