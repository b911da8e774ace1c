import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { parseBody } from '../http/schema.ts';
import { boundedArray, elementOf } from './input.ts';

/** A list of numbers that counts how many of its elements were looked at. */
function counting() {
  const seen: unknown[] = [];
  const element = z.unknown().transform((value, context) => {
    seen.push(value);
    if (typeof value === 'number') return value * 2;
    context.addIssue({ code: 'custom', message: 'must be a number' });
    return z.NEVER;
  });
  return { seen, element, schema: z.object({ list: boundedArray(element, 1, 4) }) };
}

test('an array is looked at up to its first fault, which is named with its place', () => {
  const { seen, schema } = counting();
  assert.deepEqual(parseBody(schema, { list: [1, 2] }), { list: [2, 4] });
  seen.length = 0;
  assert.throws(
    () => parseBody(schema, { list: [1, 'a', 'b', 3] }),
    (error) => {
      assert.ok(error instanceof InputError);
      assert.equal(error.param, 'list[1]');
      assert.equal(error.message, 'list[1]: must be a number');
      return true;
    },
  );
  assert.deepEqual(seen, [1, 'a']);
});

test('an array of the wrong length is refused before its elements are looked at', () => {
  const { seen, schema } = counting();
  assert.throws(() => parseBody(schema, { list: [1, 2, 3, 4, 5] }), /list: at most 4 entries/);
  assert.throws(() => parseBody(schema, { list: [] }), /list: must not be empty/);
  assert.deepEqual(seen, []);
});

test('a bounded array is known by its elements, refined or not', () => {
  const { element, schema } = counting();
  const { list } = schema.shape;
  const core = (one: z.ZodType) => elementOf(one as unknown as z.core.$ZodTypes);
  assert.equal(core(list), element);
  assert.equal(core(list.superRefine(() => {})), element);
  assert.equal(core(z.array(element)), undefined);
});
