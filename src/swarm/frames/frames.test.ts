import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { fuzzFrames } from '../testing/frames.ts';
import {
  decodeHeader,
  encodeHead,
  FRAME,
  FrameFault,
  type FrameHeader,
  type FrameInit,
  HEADER_BYTES,
  MAX_METADATA_BYTES,
  MAX_PAYLOAD_BYTES,
  MORE,
} from './format.ts';
import { Framer } from './framer.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

interface Seen {
  header: FrameHeader;
  metadata: string;
  payload: string;
  skipped: boolean;
}

function collect(verdict: 'take' | 'skip' = 'take') {
  const seen: Seen[] = [];
  const framer = new Framer({
    onHead: () => verdict,
    onFrame: (header, metadata, payload, skipped) =>
      seen.push({ header, metadata: hex(metadata), payload: hex(payload), skipped }),
  });
  return { framer, seen };
}

function bytesOf(frame: FrameInit, metadata?: Uint8Array, payload = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([encodeHead(frame, metadata, payload.length), payload]);
}

describe('the format of frames', () => {
  test('has these bytes', () => {
    const golden: [Uint8Array, string][] = [
      [
        bytesOf(
          { type: FRAME.request, id: 7, argument: 30_000 },
          new Uint8Array([0xa0]),
          new Uint8Array([1, 2, 3]),
        ),
        '010100000000000700000000000075300000000100000003a0010203',
      ],
      [
        bytesOf({ type: FRAME.request, id: 1, flags: MORE }),
        '010100010000000100000000000000000000000000000000',
      ],
      [bytesOf({ type: FRAME.response, id: 7 }), '010200000000000700000000000000000000000000000000'],
      [
        bytesOf({ type: FRAME.error, id: 7 }, new Uint8Array([0xa0])),
        '010300000000000700000000000000000000000100000000a0',
      ],
      [
        bytesOf({ type: FRAME.data, id: 1, sequence: 258 }, undefined, new Uint8Array([9])),
        '01040000000000010000010200000000000000000000000109',
      ],
      [bytesOf({ type: FRAME.end, id: 1 }), '010500000000000100000000000000000000000000000000'],
      [bytesOf({ type: FRAME.cancel, id: 0xffffffff }), '01060000ffffffff00000000000000000000000000000000'],
      [
        bytesOf({ type: FRAME.window, id: 1, argument: 65_536 }),
        '010700000000000100000000000100000000000000000000',
      ],
      [
        bytesOf({ type: FRAME.ping }, undefined, new Uint8Array(8).fill(5)),
        '0108000000000000000000000000000000000000000000080505050505050505',
      ],
      [bytesOf({ type: FRAME.pong }), '010900000000000000000000000000000000000000000000'],
    ];
    for (const [bytes, expected] of golden) assert.equal(hex(bytes), expected);
  });

  test('takes no header that a node of this version does not write', () => {
    const good = (
      edit: (view: DataView, bytes: Uint8Array) => void,
      from: FrameInit = { type: FRAME.request, id: 1 },
    ) => {
      const bytes = encodeHead(from, undefined, 0);
      edit(new DataView(bytes.buffer), bytes);
      return bytes;
    };
    const refused = (bytes: Uint8Array, kind: FrameFault['kind']) =>
      assert.throws(
        () => decodeHeader(bytes),
        (error) => error instanceof FrameFault && error.kind === kind,
      );
    assert.equal(decodeHeader(good(() => {})).id, 1);
    refused(
      good((_, bytes) => bytes.fill(2, 0, 1)),
      'garbage',
    );
    for (const type of [0, 10, 255])
      refused(
        good((_, bytes) => bytes.fill(type, 1, 2)),
        'garbage',
      );
    refused(
      good((view) => view.setUint16(2, 2)),
      'garbage',
    );
    refused(
      good((view) => view.setUint16(2, 1), { type: FRAME.data, id: 1 }),
      'garbage',
    );
    refused(
      good((view) => view.setUint32(4, 0)),
      'garbage',
    );
    refused(
      good((view) => view.setUint32(4, 1), { type: FRAME.ping }),
      'garbage',
    );
    refused(
      good((view) => view.setUint32(8, 1)),
      'garbage',
    );
    refused(
      good((view) => view.setUint32(12, 1), { type: FRAME.end, id: 1 }),
      'garbage',
    );
    refused(
      good((view) => view.setUint32(16, MAX_METADATA_BYTES + 513)),
      'oversize',
    );
    refused(
      good((view) => view.setUint32(20, MAX_PAYLOAD_BYTES + 1)),
      'oversize',
    );
    refused(
      good((view) => view.setUint32(20, 0xffffffff)),
      'oversize',
    );
    refused(
      good((view) => view.setUint32(20, 1), { type: FRAME.cancel, id: 1 }),
      'oversize',
    );
    refused(
      good((view) => view.setUint32(16, 4097), { type: FRAME.error, id: 1 }),
      'oversize',
    );
    refused(
      good((view) => view.setUint32(20, 9), { type: FRAME.ping }),
      'oversize',
    );
  });
});

describe('the framer', () => {
  const frame = fc.record({
    type: fc.constantFrom(FRAME.request, FRAME.response, FRAME.data),
    id: fc.integer({ min: 1, max: 0xffffffff }),
    metadata: fc.uint8Array({ maxLength: 50 }),
    payload: fc.uint8Array({ maxLength: 200 }),
  });

  test('gives the frames that were written, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (all, cuts) => {
          const bytes = Buffer.concat(
            all.map(({ type, id, metadata, payload }) => bytesOf({ type, id }, metadata, payload)),
          );
          const { framer, seen } = collect();
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = cuts[turn % cuts.length]!;
            framer.push(bytes.subarray(at, at + size));
            at += size;
          }
          assert.equal(framer.within, false);
          assert.deepEqual(
            seen.map(({ header, metadata, payload }) => ({
              type: header.type,
              id: header.id,
              metadata,
              payload,
            })),
            all.map(({ type, id, metadata, payload }) => ({
              type,
              id,
              metadata: hex(metadata),
              payload: hex(payload),
            })),
          );
        },
      ),
    );
  });

  test('skips the payload of a refused frame and goes on with the next', () => {
    const { framer, seen } = collect('skip');
    const one = bytesOf({ type: FRAME.request, id: 1 }, new Uint8Array([0xa0]), new Uint8Array(1000));
    const two = bytesOf({ type: FRAME.request, id: 2 });
    for (const byte of Buffer.concat([one, two])) framer.push(new Uint8Array([byte]));
    assert.deepEqual(
      seen.map(({ header, payload, skipped }) => [header.id, payload, skipped]),
      [
        [1, '', true],
        [2, '', true],
      ],
    );
  });

  test('asks before it makes room for a payload, and makes none for one beyond the cap', () => {
    let asked = 0;
    const framer = new Framer({
      onHead: () => {
        asked++;
        throw new FrameFault('protocol', 'no');
      },
      onFrame: () => assert.fail('a frame came'),
    });
    const before = process.memoryUsage().arrayBuffers;
    assert.throws(
      () => framer.push(encodeHead({ type: FRAME.request, id: 1 }, undefined, MAX_PAYLOAD_BYTES)),
      FrameFault,
    );
    assert.ok(process.memoryUsage().arrayBuffers - before < MAX_PAYLOAD_BYTES / 2);
    framer.push(encodeHead({ type: FRAME.request, id: 1 }, undefined, 0));
    assert.equal(asked, 1);
  });

  test('gives each frame buffers of its own, made once and of its size', () => {
    const payloads: Uint8Array[] = [];
    const framer = new Framer({
      onHead: () => 'take',
      onFrame: (_header, _metadata, payload) => payloads.push(payload),
    });
    const bytes = bytesOf({ type: FRAME.data, id: 1 }, undefined, new Uint8Array(100).fill(1));
    framer.push(bytes);
    framer.push(bytes);
    bytes.fill(0);
    for (const payload of payloads) {
      assert.equal(payload.buffer.byteLength, 100);
      assert.ok(payload.every((byte) => byte === 1));
    }
    assert.notEqual(payloads[0]!.buffer, payloads[1]!.buffer);
  });

  test('survives 100 000 damaged frames within its bounds', () => {
    const { taken, refused, mostHeld } = fuzzFrames(100_000, createSeededRandom(1));
    assert.ok(taken > 10_000, `${taken} were taken`);
    assert.ok(refused > 10_000, `${refused} were refused`);
    assert.ok(mostHeld <= MAX_METADATA_BYTES + 512 + MAX_PAYLOAD_BYTES + HEADER_BYTES);
  });
});
