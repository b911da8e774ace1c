import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LimitError } from '../../base/index.ts';
import { type PlanInput, planMemory } from './plan.ts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const base: PlanInput = {
  id: 'm',
  weightBytes: GiB,
  kvBytesPerCell: 32 * 1024,
  contextTrained: 2048,
  options: { context: null, kvCells: null, maxActive: 4, memoryBytes: null },
  freeBytes: 20 * GiB,
  usedBytes: 0,
};
const plan = (changes: Partial<PlanInput>) => planMemory({ ...base, ...changes });
const given = (options: Partial<PlanInput['options']>) => ({ options: { ...base.options, ...options } });

test('a short context is kept whole, once for each active sequence', () => {
  const { context, kvCells, kvBytes } = plan({});
  assert.deepEqual([context, kvCells, kvBytes], [2048, 8192, 256 * MiB]);
});

test('a very long trained context is cut to a quarter of what the weights leave', () => {
  const { context, kvCells, kvBytes } = plan({ contextTrained: 1 << 20 });
  assert.equal(context % 256, 0);
  assert.equal(kvCells, context);
  assert.ok(kvBytes <= (0.8 * 20 * GiB - GiB) / 4 && kvBytes > 3 * GiB, `${kvBytes}`);
});

test('a configured context holds for each model up to what it was trained for', () => {
  assert.equal(plan(given({ context: 1000 })).context, 1000);
  assert.equal(plan(given({ context: 100_000 })).context, 2048);
});

test('configured cells bound an automatic context and must hold one given context', () => {
  assert.deepEqual(
    [plan(given({ kvCells: 1024 })).context, plan(given({ kvCells: 1024 })).kvCells],
    [1024, 1024],
  );
  assert.throws(() => plan(given({ kvCells: 512, context: 1024 })), /kvCells.*512.*1024/);
});

test('what does not fit is refused with its numbers and a remedy', () => {
  const refused = (changes: Partial<PlanInput>, text: RegExp) =>
    assert.throws(
      () => plan(changes),
      (error: unknown) => {
        assert.ok(error instanceof LimitError);
        assert.equal(error.limit, 'engine.memoryBytes');
        assert.match(error.message, text);
        return true;
      },
    );
  refused(
    { freeBytes: GiB },
    /1024 MiB for weights.*80 % of the 1024 MiB that are free\. Use a smaller model/,
  );
  refused(
    { ...given({ memoryBytes: 2 * GiB }), usedBytes: GiB },
    /`engine\.memoryBytes` of 2048 MiB, of which 1024 MiB are in use.*or a larger `engine\.memoryBytes`\. Models in use take 1024 MiB/,
  );
  refused(given({ context: 2048, memoryBytes: GiB + 70 * MiB }), /64 MiB of KV cache for a context of 2048/);
  refused({ kvBytesPerCell: 0, freeBytes: GiB }, /1024 MiB for weights plus/);
});

test('a model without a KV cache needs no cells', () => {
  assert.deepEqual(plan({ kvBytesPerCell: 0, contextTrained: 512 }), {
    context: 512,
    kvCells: 0,
    weightBytes: GiB,
    kvBytes: 0,
    totalBytes: GiB + 64 * MiB,
  });
});
