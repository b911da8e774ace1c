/**
 * Damaged frames for tests: valid ones with bits flipped, cut, repeated, and noise, in chunks of any size.
 *
 * @module swarm/testing/frames
 */
import { isKithError, type Random } from '../../base/index.ts';
import { encodeHead, FRAME, FrameFault, type FrameHeader, type FrameType } from '../frames/format.ts';
import { Framer } from '../frames/framer.ts';
import { decodeMetadata, decodeRequest } from '../rpc/envelope.ts';
import { decodeWireError } from '../rpc/errors.ts';

const TYPES = Object.values(FRAME);
/** `{i: 16 bytes, m: "echo", v: {a: 1}}` */
const REQUEST = Buffer.from(`a3616950${'11'.repeat(16)}616d646563686f6176a1616101`, 'hex');
const METADATA = Buffer.from('a26161016162820203', 'hex');

function metadataFor(type: FrameType): Uint8Array | undefined {
  if (type === FRAME.request) return REQUEST;
  if (type === FRAME.error) return Buffer.from('a26163616f616d6161', 'hex');
  return type === FRAME.response || type === FRAME.data ? METADATA : undefined;
}

function oneFrame(random: Random): Uint8Array {
  const type = TYPES[random.uint32() % TYPES.length]!;
  const metadata = metadataFor(type);
  const carries = type === FRAME.request || type === FRAME.response || type === FRAME.data;
  const payload = random.bytes(carries ? random.uint32() % 64 : type === FRAME.ping ? 8 : 0);
  const id = type === FRAME.ping || type === FRAME.pong ? 0 : 1 + (random.uint32() % 5);
  const bytes = Buffer.concat([encodeHead({ type, id }, metadata, payload.length), payload]);
  const turn = random.uint32() % 8;
  if (turn < 3) return bytes;
  if (turn === 3) return random.bytes(1 + (random.uint32() % 100));
  if (turn === 4) return bytes.subarray(0, random.uint32() % bytes.length);
  for (let flips = 1 + (random.uint32() % 3); flips > 0; flips--)
    bytes[random.uint32() % (turn === 5 ? 24 : bytes.length)]! ^= 1 << (random.uint32() % 8);
  return bytes;
}

/**
 * Feeds `count` frames, a new framer after each refusal and every 16 frames. Anything thrown but a `FrameFault` leaves here.
 *
 * @returns frames taken, framers that refused, and the most bytes a framer was made to hold
 */
export function fuzzFrames(
  count: number,
  random: Random,
): { taken: number; refused: number; mostHeld: number } {
  let taken = 0;
  let refused = 0;
  let mostHeld = 0;
  const read = (header: FrameHeader, metadata: Uint8Array) => {
    if (header.type === FRAME.request) decodeRequest(metadata);
    else if (header.type === FRAME.error) decodeWireError(metadata);
    else decodeMetadata(metadata);
  };
  const fresh = () =>
    new Framer({
      onHead(header, metadata) {
        mostHeld = Math.max(mostHeld, metadata.length + header.payloadBytes);
        read(header, metadata);
        // As an endpoint over its budget would, so that a claim of megabytes costs the test none.
        return header.payloadBytes > 4096 ? 'skip' : 'take';
      },
      onFrame() {
        taken++;
      },
    });
  let framer = fresh();
  for (let index = 0; index < count; index++) {
    if (index % 16 === 0) framer = fresh();
    const bytes = oneFrame(random);
    const cut = random.uint32() % (bytes.length + 1);
    try {
      framer.push(bytes.subarray(0, cut));
      framer.push(bytes.subarray(cut));
    } catch (error) {
      if (!(error instanceof FrameFault) || isKithError(error)) throw error;
      refused++;
      framer = fresh();
    }
  }
  return { taken, refused, mostHeld };
}
