import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { KithError } from '../../base/index.ts';
import type { Frame } from './frames.ts';
import { Carrying, createHopDesk, decodeHop, encodeHop } from './hop.ts';

const frame = (
  type: Frame['type'],
  meta: Frame['meta'],
  payload: Uint8Array = new Uint8Array(0),
  id = 1,
): Frame => ({
  type,
  id,
  end: true,
  meta,
  payload: Uint8Array.from(payload),
});

test('a hop is read as it was written', () => {
  const part = fc.record({
    start: fc.nat(1000),
    count: fc.integer({ min: 1, max: 5 }),
    after: fc.integer({ min: -1, max: 1000 }),
    outputs: fc.constantFrom('none' as const, 'last' as const, 'all' as const, 'each' as const),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (described) => {
      const parts = described.map((one) => ({
        ...one,
        cells: Int32Array.from({ length: one.count }, (_, i) => i),
      }));
      const rows = parts.reduce((sum, { count }) => sum + count, 0);
      const hidden = Float32Array.from({ length: rows * 3 }, (_, i) => i / 7);
      const { meta, payload } = encodeHop({ parts, hidden });
      assert.deepEqual(decodeHop(frame('hop', { ...meta, model: 'm' }, payload)), {
        model: 'm',
        parts,
        hidden,
      });
    }),
  );
});

test('a hop of any shape is read or refused with a typed error', () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.constant(null));
  const parts = fc.array(fc.record({ start: number, count: number, after: number, outputs: fc.string() }));
  fc.assert(
    fc.property(parts, fc.uint8Array({ maxLength: 64 }), (some, payload) => {
      try {
        decodeHop(frame('hop', { model: 'm', parts: some }, payload));
      } catch (error) {
        assert.ok(error instanceof KithError, String(error));
      }
    }),
  );
});

test('hops find their answers in any order, and one that nobody asked for is refused', async () => {
  const sent: { type: string; id: number }[] = [];
  const desk = createHopDesk((one) => sent.push(one));
  const carry = desk.carryFor('m');
  const go = (abort = new AbortController()) => carry([], new Float32Array(0), abort.signal);
  const [first, second] = [go(), go()];
  const abort = new AbortController();
  const third = go(abort);
  const bytes = (value: number) => new Uint8Array(Float32Array.of(value).buffer);
  desk.receive(frame('carried', {}, bytes(2), sent[1]!.id));
  desk.receive(frame('dropped', { code: 'peer_gone', message: 'gone', status: 502 }, undefined, sent[0]!.id));
  assert.deepEqual([...(await second)], [2]);
  await assert.rejects(first, { code: 'peer_gone', status: 502 });
  abort.abort();
  await assert.rejects(third, { code: 'aborted' });
  assert.deepEqual(sent.at(-1), { type: 'recall', id: sent[2]!.id, end: true });
  // The answer comes all the same, and once only.
  desk.receive(frame('carried', {}, undefined, sent[2]!.id));
  assert.throws(() => desk.receive(frame('carried', {}, undefined, sent[2]!.id)), { code: 'frame_invalid' });
});

test('hops of a model that nobody computes are dropped by name', async () => {
  const answered = Promise.withResolvers<{ type: string; meta?: unknown }>();
  const carrying = new Carrying(
    (one) => answered.resolve(one),
    () => null,
  );
  const { meta, payload } = encodeHop({ parts: [], hidden: new Float32Array(0) });
  carrying.receive(frame('hop', { ...meta, model: 'm' }, payload));
  const { type, meta: failure } = await answered.promise;
  assert.equal(type, 'dropped');
  assert.equal((failure as { code: string }).code, 'path_closed');
});
