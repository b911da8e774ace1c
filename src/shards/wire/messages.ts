/**
 * Messages of a session through shards (method `/kith/shard/1`) and of a feed from one shard to the next
 * (`/kith/shard-feed/1`). Metadata is a CBOR map; `k` says which message it is. Step numbers rise by one from 1.
 *
 * | k        | from           | further fields                                    | payload |
 * |----------|----------------|---------------------------------------------------|---------|
 * | (opening)| owner          | `model`, `from`, `to`, `cells`, `session` (16 B), `feeder` (PeerId or null), `last`, `type` | |
 * | `ready`  | shard          | `width`, `cells`                                  | |
 * | `step`   | owner, feeder  | `n`, `replay`, `t` (activation type), `p` (parts)  | cells, hidden states |
 * | `rows`   | last shard     | `n`, `t`, `ms`                                    | hidden states that are wanted |
 * | `next`   | owner          | `peer`, `session`, `addresses`, `replay` (whether the rows so far are sent, too), `from` (first step whose rows are waited for) | |
 * | `feeder` | owner          | `peer`: who may send steps from now on            | |
 * | `linked` | shard          | `peer`                                            | |
 * | `ping`   | owner          | `id`                                              | |
 * | `pong`   | shard          | `id`, `seen`, `done` (last step that came, that was computed) | |
 * | `fail`   | shard          | `n` (0: not of one step), `code`, `message`        | |
 *
 * A part is `[start, count, after, outputs]` (outputs: 0 none, 1 last, 2 all) as in `CarriedPart`; the payload of a step is the
 * cells of all parts (i32, little-endian) and then their rows.
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

const MAX_STEP = 2 ** 48;
const MAX_BLOCK = 4096;
const OUTPUTS = ['none', 'last', 'all'] as const;

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
  /** Whether rows go back to the owner. */
  readonly last: boolean;
  /** How rows are to be sent on. */
  readonly type: ActivationType;
}

export function encodeOpening(opening: Opening): CborMap {
  return { ...opening };
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
    last: fields.flag('last'),
    type: fields.oneOf('type', ACTIVATION_TYPES),
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

export function encodeStep(
  { n, replay, parts, hidden }: Step,
  width: number,
  wish: ActivationType,
): Outgoing {
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

export type Control =
  | { readonly k: 'ready'; readonly width: number; readonly cells: number }
  | {
      readonly k: 'next';
      readonly peer: string;
      readonly session: Uint8Array;
      /** Multiaddrs. */
      readonly addresses: readonly string[];
      readonly replay: boolean;
      readonly from: number;
    }
  | { readonly k: 'feeder'; readonly peer: string }
  | { readonly k: 'linked'; readonly peer: string }
  | { readonly k: 'ping'; readonly id: number }
  | { readonly k: 'pong'; readonly id: number; readonly seen: number; readonly done: number }
  | { readonly k: 'fail'; readonly n: number; readonly code: string; readonly message: string };

export function kindOf(metadata: CborMap): string {
  const { k } = metadata;
  if (typeof k !== 'string') throw malformed("a message has no 'k'");
  return k;
}

export function decodeControl(metadata: CborMap): Control {
  const k = kindOf(metadata);
  const fields = new Fields(metadata, `the message '${k.slice(0, 20)}'`, malformed);
  fields.text('k', 16);
  const control = ((): Control => {
    switch (k) {
      case 'ready':
        return {
          k,
          width: fields.count('width', SHARD_BOUNDS.width),
          cells: fields.count('cells', SHARD_BOUNDS.cells),
        };
      case 'next':
        return {
          k,
          peer: fields.text('peer', 128, 1),
          session: fields.bytes('session', SHARD_BOUNDS.sessionBytes),
          addresses: fields.list('addresses', 16).map((address) => {
            if (typeof address !== 'string' || address.length > 512) throw malformed('an address is no text');
            return address;
          }),
          replay: fields.flag('replay'),
          from: fields.count('from', MAX_STEP),
        };
      case 'feeder':
      case 'linked':
        return { k, peer: fields.text('peer', 128, 1) };
      case 'ping':
        return { k, id: fields.count('id', MAX_STEP) };
      case 'pong':
        return {
          k,
          id: fields.count('id', MAX_STEP),
          seen: fields.count('seen', MAX_STEP),
          done: fields.count('done', MAX_STEP),
        };
      case 'fail':
        return {
          k,
          n: fields.count('n', MAX_STEP),
          code: fields.text('code', 64, 1),
          message: fields.text('message', 1000),
        };
      default:
        throw malformed(`there is no message ${JSON.stringify(k.slice(0, 20))}`);
    }
  })();
  fields.end();
  return control;
}
