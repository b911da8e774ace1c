import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KithError, LimitError } from '../../base/index.ts';
import { checkJob, type GenerateInput } from './generate.ts';
import { createPieces } from './pieces.ts';
import { createSlots } from './slots.ts';

const never = new AbortController().signal;

test('bytes come when their character is complete', () => {
  const table = [[0xe2], [0x82], [0xac], [0x41], [0xff]];
  const decode = (tokens: readonly number[]) =>
    new TextDecoder().decode(Uint8Array.from(tokens.flatMap((token) => table[token]!)));
  const pieces = createPieces(decode);
  assert.deepEqual(
    [0, 1, 2, 3].map((token) => Buffer.from(pieces.bytes(token)).toString()),
    ['', '', '€', 'A'],
  );
  // What never becomes a character is given as it is, and does not hold back what follows for ever.
  const held = [4, 4, 4, 4].map((token) => Buffer.from(pieces.bytes(token)).toString());
  assert.deepEqual(held, ['', '', '', '\uFFFD\uFFFD\uFFFD\uFFFD']);
});

test('places go to the larger priority first and then in order of coming', async () => {
  const slots = createSlots(['s'], { maxQueue: 3, maxWaitMs: 60_000 });
  const first = await slots.take(0, never, () => 0);
  const order: string[] = [];
  const wait = (name: string, priority: number) =>
    slots
      .take(priority, never, () => 0)
      .then((slot) => {
        order.push(name);
        slots.put(slot);
      });
  const all = [wait('a', 0), wait('b', 0), wait('c', 5)];
  assert.deepEqual([slots.active, slots.queued], [1, 3]);
  await assert.rejects(
    slots.take(0, never, () => 0),
    (error: unknown) =>
      error instanceof LimitError && error.limit === 'engine.maxQueue' && error.status === 429,
  );
  slots.put(first);
  await Promise.all(all);
  assert.deepEqual(order, ['c', 'a', 'b']);
  await slots.idle();
});

test('the free place with the best score is taken', async () => {
  const slots = createSlots([1, 9, 4], { maxQueue: 1, maxWaitMs: 1000 });
  assert.equal(await slots.take(0, never, (slot) => slot), 9);
  assert.equal(await slots.take(0, never, (slot) => slot), 4);
});

test('who waits too long, leaves or is turned away does not get a place later', async () => {
  const slots = createSlots(['s'], { maxQueue: 5, maxWaitMs: 20 });
  const held = await slots.take(0, never, () => 0);
  await assert.rejects(
    slots.take(0, never, () => 0),
    (error: unknown) =>
      error instanceof LimitError && error.limit === 'engine.maxWaitMs' && error.status === 503,
  );
  const abort = new AbortController();
  const leaving = slots.take(0, abort.signal, () => 0);
  abort.abort();
  await assert.rejects(leaving, { code: 'aborted' });
  const turned = slots.take(0, never, () => 0);
  slots.close(new KithError('model_unloading', 'gone'));
  await assert.rejects(turned, { code: 'model_unloading' });
  await assert.rejects(
    slots.take(0, never, () => 0),
    { code: 'model_unloading' },
  );
  slots.put(held);
  await slots.idle();
  assert.deepEqual([slots.active, slots.queued], [0, 0]);
});

test('a grammar is refused by name, not ignored', () => {
  // Refused before the library or the model is looked at.
  const input = { job: { model: 'm', grammar: { kind: 'json_object' } } } as unknown as GenerateInput;
  assert.throws(
    () => checkJob(input),
    (error: unknown) =>
      error instanceof KithError && error.code === 'grammar_unsupported' && error.param === 'grammar',
  );
});
