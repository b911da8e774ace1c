import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { KithError } from '../../base/index.ts';
import {
  asFloat32,
  encodeFrame,
  FRAME_CAPS,
  type Frame,
  FrameDecoder,
  FrameType,
  type FrameTypeName,
  packArrays,
} from './frames.ts';

const encode = (frame: Parameters<typeof encodeFrame>[0]): Buffer => Buffer.concat(encodeFrame(frame));
const isBad = (error: unknown): boolean => error instanceof KithError && error.code === 'frame_invalid';
const names = Object.keys(FrameType) as FrameTypeName[];
const directionOf = (type: FrameTypeName) =>
  (FrameType[type] >= 64 ? 'answers' : 'requests') as 'answers' | 'requests';

test('a frame has the documented bytes', () => {
  const bytes = encode({
    type: 'generate',
    id: 0x01020304,
    end: true,
    meta: { a: 1 },
    payload: packArrays([Int32Array.of(7, -1)]),
  });
  assert.equal(
    bytes.toString('hex'),
    // length 27 | version 1, type 4, END, 0 | id | meta length 7 | {"a":1} | 7, -1
    `1b000000${'01040100'}${'04030201'}${'07000000'}${'7b2261223a317d'}${'07000000ffffffff'}`,
  );
});

test('a frame without meta and payload is its sixteen header bytes', () => {
  assert.equal(encode({ type: 'ping', id: 9 }).toString('hex'), '0c000000010a00000900000000000000');
});

const anyFrame = fc
  .record({
    type: fc.constantFrom(...names.filter((name) => FrameType[name] >= 64)),
    id: fc.integer({ min: 0, max: 0xffffffff }),
    end: fc.boolean(),
    meta: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    payload: fc.uint8Array({ maxLength: 64 }),
  })
  .map((frame) => ({
    ...frame,
    payload: FRAME_CAPS[frame.type].payload === 0 ? new Uint8Array(0) : frame.payload,
  }));

test('frames come back equal however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.map((frame) => encode(frame)));
        const decoder = new FrameDecoder('answers');
        const got: Frame[] = [];
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const next = at + (cuts[cut % cuts.length] as number);
          got.push(...decoder.push(stream.subarray(at, next)));
          at = next;
        }
        assert.equal(decoder.pending, 0);
        const plain = (frame: { meta: object }) => JSON.parse(JSON.stringify(frame.meta));
        assert.deepEqual(
          got.map((frame) => ({ ...frame, meta: plain(frame), payload: [...frame.payload] })),
          frames.map((frame) => ({ ...frame, meta: plain(frame), payload: [...frame.payload] })),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a hundred thousand mutated streams give frames or frame_invalid, nothing else', () => {
  const stream = Buffer.concat([
    encode({ type: 'reply', id: 1, end: true, meta: { tokens: [1, 2, 3] }, payload: new Uint8Array(12) }),
    encode({ type: 'event', id: 2, meta: { type: 'text', text: 'é', tokens: 1 } }),
    encode({ type: 'pong', id: 0 }),
  ]);
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let refused = 0;
  for (let run = 0; run < 100_000; run++) {
    const bytes = Buffer.from(stream);
    for (let change = random(3); change >= 0; change--) {
      // The high bytes of the lengths are left alone here: their caps have a test of their own, and a cap's worth
      // of zeroes per run would make this slow.
      const at = random(bytes.length);
      bytes[at] = random(256);
    }
    if (bytes.readUInt32LE(0) > 1 << 20) bytes.writeUInt32LE(random(1 << 12), 0);
    const decoder = new FrameDecoder('answers');
    try {
      decoder.push(bytes.subarray(0, random(bytes.length + 1)));
      decoder.push(bytes);
    } catch (error) {
      assert.ok(isBad(error), String(error));
      refused++;
    }
  }
  assert.ok(refused > 50_000, `${refused} refused`);
});

test('lengths over a cap are refused from the header alone', () => {
  for (const type of names) {
    const caps = FRAME_CAPS[type];
    const header = encode({ type, id: 1 });
    header.writeUInt32LE(12 + caps.payload + 1, 0);
    assert.throws(() => new FrameDecoder(directionOf(type)).push(header), isBad, `${type} payload`);
    header.writeUInt32LE(12 + caps.meta + 1, 0);
    header.writeUInt32LE(caps.meta + 1, 12);
    assert.throws(() => new FrameDecoder(directionOf(type)).push(header), isBad, `${type} meta`);
  }
});

test('an encoder refuses what the other side would refuse', () => {
  assert.throws(() => encodeFrame({ type: 'cancel', id: 1, meta: {} }), isBad);
  assert.throws(() => encodeFrame({ type: 'ping', id: 1, payload: new Uint8Array(1) }), isBad);
  assert.throws(() => encodeFrame({ type: 'ping', id: -1 }), isBad);
});

test('version, unknown type, wrong direction, reserved bits and bad meta are refused', () => {
  const change = (at: number, value: number): Buffer => {
    const bytes = encode({ type: 'reply', id: 1, meta: { ok: true } });
    bytes[at] = value;
    return bytes;
  };
  assert.throws(() => new FrameDecoder('answers').push(change(4, 2)), /version 2/);
  assert.throws(() => new FrameDecoder('answers').push(change(5, 200)), /unknown type 200/);
  assert.throws(() => new FrameDecoder('answers').push(change(6, 2)), /reserved/);
  assert.throws(() => new FrameDecoder('answers').push(change(16, 0xff)), /not JSON/);
  assert.throws(() => new FrameDecoder('requests').push(change(4, 1)), /wrong way/);
  assert.throws(() => new FrameDecoder('answers').push(change(0, 3)), /shorter/);
});

test('a decoder that failed stays failed', () => {
  const decoder = new FrameDecoder('answers');
  assert.throws(() => decoder.push(Buffer.alloc(16)), isBad);
  assert.throws(() => decoder.push(encode({ type: 'pong', id: 0 })), isBad);
});

test('payloads are aligned for every typed array', () => {
  const values = Float32Array.of(1.5, -2, 3e-9);
  const stream = Buffer.concat([
    encode({ type: 'reply', id: 1, meta: { odd: 'x' }, payload: packArrays([values]) }),
    encode({ type: 'reply', id: 2, meta: { o: 'xy' }, payload: packArrays([values, values]) }),
  ]);
  const frames = new FrameDecoder('answers').push(stream);
  assert.deepEqual(
    frames.map((frame) => [...asFloat32(frame.payload)]),
    [[...values], [...values, ...values]],
  );
  assert.throws(() => asFloat32(new Uint8Array(5)), isBad);
});
