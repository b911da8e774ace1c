import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CborMap } from '../../base/index.ts';
import { decodeMetadata, decodeRequest, encodeMetadata, encodeRequest } from '../rpc/envelope.ts';
import { decodeWireError, encodeWireError, type WireError } from '../rpc/errors.ts';
import { CALL_PROTOCOL, encodeFrame, FRAME, FRAME_VERSION, FrameFault, type FrameType } from './format.ts';
import { Framer } from './framer.ts';

interface GoldenFrame {
  readonly name: string;
  readonly type: keyof typeof FRAME;
  readonly flags?: number;
  readonly id?: number;
  readonly sequence?: number;
  readonly argument?: number;
  readonly request?: { readonly callId: string; readonly method: string; readonly metadata: CborMap };
  readonly error?: WireError;
  readonly metadata?: CborMap;
  readonly payload?: string;
  readonly hex: string;
}

/** The same file is checked by the peers in other languages. */
const golden: {
  readonly protocol: string;
  readonly version: number;
  readonly frames: readonly GoldenFrame[];
  readonly refused: readonly { readonly name: string; readonly hex: string; readonly kind: string }[];
} = JSON.parse(readFileSync(new URL('../../../interop/golden/frames.json', import.meta.url), 'utf8'));

function metadataOf({ request, error, metadata }: GoldenFrame): Uint8Array | undefined {
  if (request !== undefined)
    return encodeRequest(request.method, Buffer.from(request.callId, 'hex'), request.metadata);
  if (error !== undefined) return encodeWireError(error);
  return metadata === undefined ? undefined : encodeMetadata(metadata);
}

function framesIn(hex: string) {
  const seen: { type: FrameType; metadata: Uint8Array; payload: Uint8Array }[] = [];
  new Framer({
    onHead: () => 'take',
    onFrame: ({ type }, metadata, payload) => seen.push({ type, metadata, payload }),
  }).push(Buffer.from(hex, 'hex'));
  return seen;
}

test('the golden frames are of this protocol', () => {
  assert.deepEqual([golden.protocol, golden.version], [CALL_PROTOCOL, FRAME_VERSION]);
  for (const type of Object.keys(FRAME))
    assert.ok(
      golden.frames.some((one) => one.type === type),
      `none is a ${type}`,
    );
});

test('each golden frame is written so, and read as what it says', () => {
  for (const one of golden.frames) {
    const { name, type, flags = 0, id = 0, sequence = 0, argument = 0, payload = '', hex } = one;
    const pieces = encodeFrame(
      { type: FRAME[type], flags, id, sequence, argument },
      metadataOf(one),
      Buffer.from(payload, 'hex'),
    );
    assert.equal(Buffer.concat(pieces).toString('hex'), hex, name);
    const [read, ...more] = framesIn(hex);
    assert.deepEqual([read!.type, Buffer.from(read!.payload).toString('hex')], [FRAME[type], payload], name);
    assert.equal(more.length, 0, name);
    if (one.request !== undefined) assert.deepEqual(decodeRequest(read!.metadata), one.request, name);
    else if (one.error !== undefined)
      assert.deepEqual(decodeWireError(read!.metadata), { ...one.error, remote: true }, name);
    else assert.deepEqual(decodeMetadata(read!.metadata), one.metadata ?? {}, name);
  }
});

test('each frame that must be refused is, for its reason', () => {
  for (const { name, hex, kind } of golden.refused)
    assert.throws(
      () => framesIn(hex),
      (error) => error instanceof FrameFault && error.kind === kind,
      name,
    );
});
