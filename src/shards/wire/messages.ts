/**
 * Messages of a session through shards (method `/kith/shard/1`) and of a feed from one shard to the next
 * (`/kith/shard-feed/1`) that carry hidden states. Metadata is a CBOR map; `k` says which message it is. Step numbers rise by
 * one from 1. What else is said in a session is in `control.ts`; how KV rows move is in `kv.ts`.
 *
 * | k        | from           | further fields                                    | payload |
 * |----------|----------------|---------------------------------------------------|---------|
 * | (opening)| owner          | `model`, `from`, `to`, `cells`, `session` (16 B), `feeder` (PeerId or null), `donor` (PeerId or null), `last`, `types` | |
 * | `step`   | owner, feeder  | `n`, `replay`, `t` (activation type), `p` (parts)  | cells, hidden states |
 * | `rows`   | last shard     | `n`, `t`, `ms`                                    | hidden states that are wanted |
 *
 * A part is `[start, count, after, outputs]` (outputs: 0 none, 1 last, 2 all, 3 each) as in `CarriedPart`; the payload of a step is the
 * cells of all parts (i32, little-endian) and then their rows. `types` is `[prefill, decode]`: how rows are sent on, by stage.
 *
 * @module shards/wire/messages
 */
import { type CborMap, Fields, InputError } from '../../base/index.ts';
import type { CarriedPart } from '../../engine/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import { ACTIVATION_TYPES, type ActivationType } from '../types.ts';
import { activationBytes, overflows, readActivations, writeActivations } from './activations.ts';

export const SHARD_METHOD = '/kith/shard/1';
export const FEED_METHOD = '/kith/shard-feed/1';
export const KV_METHOD = '/kith/shard-kv/1';

export const SHARD_BOUNDS = {
  sessionBytes: 16,
  /** KV cells of one session. */
  cells: 1 << 20,
  parts: 256,
  /** Rows of a step. */
  rows: 2048,
  width: 65_536,
  payloadBytes: 16 << 20,
  metadataBytes: 16 << 10,
} as const;

export const MAX_STEP = 2 ** 48;
const MAX_BLOCK = 4096;
const OUTPUTS = ['none', 'last', 'all', 'each'] as const;

/** What came does not follow the protocol. */
export function malformed(what: string): InputError {
  return new InputError(
    'shard_malformed',
    `A message of a shard session does not follow the protocol: ${what}.`,
  );
}

export interface Opening {
  /** Content hash of the model, 64 hex digits. */
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly cells: number;
  readonly session: Uint8Array;
  /** Who else may send steps. */
  readonly feeder: string | null;
  /** Who may send KV rows that it computed for this owner. */
  readonly donor: string | null;
  /** Whether rows go back to the owner. */
  readonly last: boolean;
  /** How rows are to be sent on. */
  readonly types: LinkTypes;
}

/** How hidden states travel over one link, by stage. */
export interface LinkTypes {
  readonly prefill: ActivationType;
  readonly decode: ActivationType;
}

export const EXACT: LinkTypes = { prefill: 'f32', decode: 'f32' };

/** Rows of a part up to which a step is one of decoding: a token, or some that are guessed. */
const DECODE_ROWS = 16;

export function typeFor(types: LinkTypes, parts: readonly CarriedPart[]): ActivationType {
  const isPrompt = ({ count, outputs }: CarriedPart) => count > DECODE_ROWS && outputs !== 'each';
  return parts.some(isPrompt) ? types.prefill : types.decode;
}

export function encodeOpening(opening: Opening): CborMap {
  const { types, ...rest } = opening;
  return { ...rest, types: encodeTypes(types) };
}

export const encodeTypes = ({ prefill, decode }: LinkTypes): string[] => [prefill, decode];

export function decodeTypes(fields: Fields): LinkTypes {
  const [prefill, decode] = fields.list('types', 2).map((value) => {
    const type = ACTIVATION_TYPES.find((one) => one === value);
    if (type === undefined) throw malformed('there is no such activation type');
    return type;
  });
  if (prefill === undefined || decode === undefined) throw malformed("'types' are not two");
  return { prefill, decode };
}

export function decodeOpening(metadata: CborMap): Opening {
  const fields = new Fields(metadata, 'the opening', malformed);
  const from = fields.count('from', MAX_BLOCK);
  const opening: Opening = {
    model: fields.text('model', 64, 64),
    from,
    to: fields.count('to', MAX_BLOCK),
    cells: fields.count('cells', SHARD_BOUNDS.cells),
    session: fields.bytes('session', SHARD_BOUNDS.sessionBytes),
    feeder: fields.textOrNull('feeder', 128),
    donor: fields.textOrNull('donor', 128),
    last: fields.flag('last'),
    types: decodeTypes(fields),
  };
  fields.end();
  if (opening.to <= from) throw malformed(`blocks [${from}, ${opening.to}) are no range`);
  if (opening.cells === 0) throw malformed('a session needs cells');
  return opening;
}

export interface Step {
  readonly n: number;
  /** Written again for a substitute: nobody waits for its rows. */
  readonly replay: boolean;
  readonly parts: readonly CarriedPart[];
  /** Rows × width. */
  readonly hidden: Float32Array;
}

/** A message to send; the payload is its own. */
export interface Outgoing {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

export function encodeStep({ n, replay, parts, hidden }: Step, width: number, types: LinkTypes): Outgoing {
  const wish = typeFor(types, parts);
  const type = overflows(hidden, wish) ? 'f32' : wish;
  const rows = hidden.length / width;
  const payload = new Uint8Array(rows * 4 + activationBytes(type, rows, width));
  const cells = new Int32Array(payload.buffer, 0, rows);
  let at = 0;
  for (const part of parts) {
    cells.set(part.cells, at);
    at += part.count;
  }
  writeActivations(type, hidden, width, payload, rows * 4);
  return {
    metadata: {
      k: 'step',
      n,
      ...(replay && { replay: true }),
      t: type,
      p: parts.map(({ start, count, after, outputs }) => [start, count, after, OUTPUTS.indexOf(outputs)]),
    },
    payload,
  };
}

export function decodeStep({ metadata, payload }: SessionMessage, width: number): Step {
  const fields = new Fields(metadata, 'a step', malformed);
  fields.oneOf('k', ['step']);
  const n = fields.count('n', MAX_STEP);
  const replay = fields.has('replay') && fields.flag('replay');
  const type = fields.oneOf('t', ACTIVATION_TYPES);
  const described = fields.list('p', SHARD_BOUNDS.parts);
  fields.end();
  let rows = 0;
  const heads = described.map((value) => {
    const part = value as readonly number[];
    if (!Array.isArray(value) || value.length !== 4 || !value.every(Number.isInteger))
      throw malformed('a part is not four whole numbers');
    const [start, count, after, outputs] = part as [number, number, number, number];
    if (start < 0 || start >= SHARD_BOUNDS.cells || after < -1 || after >= SHARD_BOUNDS.cells)
      throw malformed(`a part starts at position ${start} after cell ${after}`);
    if (count < 1 || count > SHARD_BOUNDS.rows - rows || !(outputs in OUTPUTS))
      throw malformed(
        `a part has ${count} rows and outputs ${outputs}; a step holds ${SHARD_BOUNDS.rows} rows`,
      );
    rows += count;
    return { start, count, after, outputs: OUTPUTS[outputs]! };
  });
  if (rows === 0) throw malformed('a step has no rows');
  const expected = rows * 4 + activationBytes(type, rows, width);
  if (payload.length !== expected)
    throw malformed(`a step of ${rows} rows came with ${payload.length} bytes, not ${expected}`);
  const cells = new Int32Array(rows);
  new Uint8Array(cells.buffer).set(payload.subarray(0, rows * 4));
  let at = 0;
  const parts = heads.map((head): CarriedPart => {
    at += head.count;
    return { ...head, cells: cells.subarray(at - head.count, at) };
  });
  return { n, replay, parts, hidden: readActivations(type, rows, width, payload, rows * 4) };
}

export interface RowsBack {
  readonly n: number;
  readonly rows: Float32Array;
  /** ms that the last shard computed. */
  readonly ms: number;
}

export function encodeRows({ n, rows, ms }: RowsBack, width: number, wish: ActivationType): Outgoing {
  const type = overflows(rows, wish) ? 'f32' : wish;
  const payload = new Uint8Array(activationBytes(type, rows.length / width, width));
  writeActivations(type, rows, width, payload, 0);
  return { metadata: { k: 'rows', n, t: type, ms }, payload };
}

/** @param count rows that were asked for in step `n` */
export function decodeRows(
  { metadata, payload }: SessionMessage,
  width: number,
  countOf: (n: number) => number | null,
): RowsBack | null {
  const fields = new Fields(metadata, 'the rows', malformed);
  fields.oneOf('k', ['rows']);
  const n = fields.count('n', MAX_STEP);
  const type = fields.oneOf('t', ACTIVATION_TYPES);
  const ms = fields.amountOrNull('ms', 1e9) ?? 0;
  fields.end();
  const count = countOf(n);
  if (count === null) return null;
  if (payload.length !== activationBytes(type, count, width))
    throw malformed(`${payload.length} bytes came for ${count} rows of step ${n}`);
  return { n, ms, rows: readActivations(type, count, width, payload, 0) };
}

export function kindOf(metadata: CborMap): string {
  const { k } = metadata;
  if (typeof k !== 'string') throw malformed("a message has no 'k'");
  return k;
}
