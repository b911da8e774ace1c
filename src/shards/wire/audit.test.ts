/** Messages of audits: they come back as they were, and what does not fit is refused before it is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { asReceived } from '../audit/links.ts';
import { activationBytes, readActivations, writeActivations } from './activations.ts';
import { decodeShow, decodeShown, encodeShow, encodeShown, rowDigests, type Show } from './audit.ts';

const WIDTH = 8;
const rowsOf = (count: number) => Float32Array.from({ length: count * WIDTH }, (_, i) => Math.sin(i) * 3);
const asked: Show = { id: 4, cells: Int32Array.of(3, 9), steps: Float64Array.of(1, 2 ** 40), rows: true };

test('a question and its answer come back as they were', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1 << 20), fc.integer({ min: 1, max: 2 ** 40 })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.boolean(),
      (written, rows) => {
        const cells = Int32Array.from(written, ([cell]) => cell);
        const steps = Float64Array.from(written, ([, n]) => n);
        const show = { id: 1, cells, steps, rows };
        assert.deepEqual(decodeShow(encodeShow(show), WIDTH), show);
        const went = rows ? rowsOf(cells.length) : new Float32Array(0);
        const shown = { build: 'b', has: true, came: rowDigests(rowsOf(cells.length), WIDTH), went };
        assert.deepEqual(decodeShown(encodeShown(1, shown), WIDTH, show), shown);
      },
    ),
  );
});

test('answers of wrong sizes, with rows that are not finite, or of too much are refused', () => {
  const shown = { build: '', has: true, came: rowDigests(rowsOf(2), WIDTH), went: rowsOf(2) };
  const refused = (answer: typeof shown, change = (bytes: Uint8Array) => bytes) => {
    const { metadata, payload } = encodeShown(4, answer);
    assert.throws(() => decodeShown({ metadata, payload: change(payload) }, WIDTH, asked), {
      code: 'shard_malformed',
    });
  };
  refused({ ...shown, went: rowsOf(3) });
  refused({ ...shown, went: rowsOf(1) });
  refused({ ...shown, came: shown.came.slice(16) });
  refused({ ...shown, has: false });
  refused({ ...shown, went: rowsOf(2).fill(Number.NaN) });
  refused({ ...shown, went: rowsOf(2).fill(Number.POSITIVE_INFINITY) });
  refused({ ...shown, build: 'x'.repeat(201) });
  refused(shown, (bytes) => bytes.subarray(1));
});

test('questions about too many cells, or of steps that cannot be, are refused', () => {
  const refused = (show: Show, width = WIDTH) =>
    assert.throws(() => decodeShow(encodeShow(show), width), { code: 'shard_malformed' });
  refused({ ...asked, cells: new Int32Array(1025), steps: new Float64Array(1025).fill(1) });
  refused({ ...asked, cells: new Int32Array(600), steps: new Float64Array(600).fill(1) }, 65_536);
  refused({ ...asked, cells: new Int32Array(0), steps: new Float64Array(0) });
  for (const n of [0, -1, 1.5, Number.NaN, 2 ** 60]) refused({ ...asked, steps: Float64Array.of(1, n) });
});

test('what was received of what was sent is known by its digest, however it travelled; anything else is not', () => {
  const sent = rowsOf(5);
  for (const type of ['f32', 'f16', 'i8'] as const) {
    const bytes = new Uint8Array(activationBytes(type, 5, WIDTH));
    writeActivations(type, sent, WIDTH, bytes, 0);
    const came = readActivations(type, 5, WIDTH, bytes, 0);
    assert.deepEqual(asReceived(sent, rowDigests(came, WIDTH), WIDTH), came);
    came[17]! *= 1.001;
    assert.equal(asReceived(sent, rowDigests(came, WIDTH), WIDTH), null);
  }
});
