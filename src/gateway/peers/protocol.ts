/**
 * What nodes say to each other when one asks the other for an answer or for embeddings. Version 1 of each method; a change
 * of form is a new method (`kith/chat/2`). Metadata and the payloads called CBOR are deterministic CBOR (`base/cbor.ts`);
 * a field that is not in these tables is refused. Durations are ms that are left, so that clocks need not agree.
 *
 * | method             | kind    | said                          | answered                                              |
 * | ------------------ | ------- | ----------------------------- | ----------------------------------------------------- |
 * | `kith/models/1`    | call    | nothing                       | metadata `q`; payload: CBOR list of models            |
 * | `kith/lease/1`     | call    | `m` `t` `ms`, or `r`          | a lease, see below                                    |
 * | `kith/chat/1`      | session | opening: `l` `i` `ms`; then one message, payload: the request (`requests.ts`) | events, see below |
 * | `kith/embed/1`     | call    | `l` `i`; payload: the request | `d` `n` `m` and a receipt; payload: float32, little-endian, rows of `d` |
 * | `kith/receipts/1`  | call    | nothing                       | payload: CBOR list of `{r, g}`, the caller's own only |
 *
 * | field | type            | meaning                                                                |
 * | ----- | --------------- | ---------------------------------------------------------------------- |
 * | `m`   | text, 200       | model id                                                               |
 * | `t`   | text            | task: `chat`, `embedding`                                              |
 * | `ms`  | integer, 1 day  | how long: of a lease that is wanted or granted, until free, until the caller gives up |
 * | `r`   | bytes, 16       | lease that is given back; answered with `s: released`                  |
 * | `l`   | bytes, 16       | lease under which this is asked                                        |
 * | `i`   | bytes, 16       | the caller's name for the request; the receipt has it                  |
 * | `q`   | integer or null | ms that a request would wait now; null: not known                      |
 *
 * Model: `i` id, `t` task, `s` state (`loaded`, `ready`), `c` context (integer or null).
 * Lease: `s: granted` with `l` and `ms`; `s: busy` with `ms`; `s: denied` with `w` (a reason's name) and `x` (in words).
 *
 * Events of a chat, one message each, in metadata; `c` is the choice:
 *
 * | `e`      | fields                                                        | payload                                  |
 * | -------- | ------------------------------------------------------------- | ---------------------------------------- |
 * | `start`  | `m`, `p` tokens of the prompt, `k` of them cached, or null    |                                          |
 * | `text`   | `c`                                                           | UTF-8, at most 64 KiB                    |
 * | `scored` | `c`                                                           | CBOR `{t, l}`: text and log probabilities |
 * | `call`   | `c`, `i` index, `d` id, `n` name                              |                                          |
 * | `args`   | `c`, `i` index                                                | UTF-8, at most 64 KiB                    |
 * | `finish` | `c`, `w` reason, `x` stop text or null, `d` dropped tokens    |                                          |
 * | `usage`  | `p` `k` `o` tokens, `q` `f` `d` ms queued, read, written (or null), `x` notes, `r` receipt, `g` its signature | |
 * | `error`  | `w` code, `x` in words, `s` status, `a` ms to wait or null    |                                          |
 *
 * The last event is `usage` or `error`. A log probability is `[token, bytes, logprob]`, in `l` followed by the alternatives
 * of its step: `[[token, bytes, logprob], ...]`.
 *
 * @module gateway/peers/protocol
 */
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../../base/index.ts';
import { Fields, malformed } from './fields.ts';

export const PEER_METHODS = {
  models: 'kith/models/1',
  lease: 'kith/lease/1',
  chat: 'kith/chat/1',
  embed: 'kith/embed/1',
  receipts: 'kith/receipts/1',
} as const;

/** Bounds of what crosses, the same on both sides. */
export const PEER_BOUNDS = {
  /** Bytes of a request, as an HTTP body's. */
  requestBytes: 4 * 2 ** 20,
  /** Bytes of one event's payload. */
  eventBytes: 2 ** 18,
  /** Bytes of an event's metadata. */
  metadataBytes: 2 ** 14,
  textBytes: 2 ** 16,
  models: 256,
  /** Inputs of one call for embeddings, and bytes of its answer. */
  inputs: 256,
  vectorBytes: 2 ** 24,
  dimension: 65_536,
  tokens: 10_000_000,
  choices: 16,
  receipts: 64,
  receiptBytes: 1024,
} as const;

export const ID_BYTES = 16;
export const DAY_MS = 86_400_000;
const SIGNATURE_BYTES = 64;
const TASKS = ['chat', 'embedding'] as const;
export type PeerTask = (typeof TASKS)[number];

export interface PeerModel {
  readonly id: string;
  readonly task: PeerTask;
  readonly state: 'loaded' | 'ready';
  readonly context: number | null;
}

export interface PeerModels {
  readonly models: readonly PeerModel[];
  readonly queueMs: number | null;
}

export type LeaseAsk =
  | { readonly kind: 'want'; readonly model: string; readonly task: PeerTask; readonly ms: number }
  | { readonly kind: 'release'; readonly lease: Uint8Array };

/** Why a lease is denied: by whom the caller is, by what it asks, by the time of day. */
export const DENIALS = ['not_allowed', 'model_not_served', 'closed'] as const;
export type Denial = (typeof DENIALS)[number];

export type LeaseAnswer =
  | { readonly state: 'granted'; readonly lease: Uint8Array; readonly ms: number }
  | { readonly state: 'busy'; readonly ms: number }
  | { readonly state: 'denied'; readonly reason: Denial; readonly message: string }
  | { readonly state: 'released' };

/** How a chat is opened, and what a call for embeddings says of itself. */
export interface Opening {
  readonly lease: Uint8Array;
  readonly request: Uint8Array;
  readonly ms: number;
}

/** A receipt and its signature, as bytes: only the signed bytes count. */
export interface SignedReceipt {
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
}

export interface PeerMessage {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

/** Characters of what a peer says in words. */
const maxWords = 300;

/** What a peer sent, decoded within its bounds. Throws InputError. */
export function decodePayload(bytes: Uint8Array, maxBytes: number): CborValue {
  return decodeCbor(bytes, { maxBytes, maxDepth: 40, maxItems: 500_000 });
}

export function encodePayload(value: CborValue, maxBytes: number): Uint8Array {
  return encodeCbor(value, { maxBytes, maxDepth: 40, maxItems: 500_000 });
}

export function encodeModels({ models, queueMs }: PeerModels): PeerMessage {
  const rows = models
    .slice(0, PEER_BOUNDS.models)
    .map(({ id, task, state, context }) => ({ i: id, t: task, s: state, c: context }));
  return { metadata: { q: queueMs }, payload: encodePayload(rows, PEER_BOUNDS.eventBytes) };
}

export function decodeModels({ metadata, payload }: PeerMessage): PeerModels {
  const head = new Fields(metadata, 'the list of models');
  const queueMs = head.countOrNull('q', DAY_MS);
  head.end();
  const rows = decodePayload(payload, PEER_BOUNDS.eventBytes);
  if (!Array.isArray(rows) || rows.length > PEER_BOUNDS.models)
    throw malformed(`it lists more than ${PEER_BOUNDS.models} models, or none`);
  const models = rows.map((row: CborValue): PeerModel => {
    const fields = new Fields(row, 'a model');
    const model = {
      id: fields.text('i', 200, 1),
      task: fields.oneOf('t', TASKS),
      state: fields.oneOf('s', ['loaded', 'ready']),
      context: fields.countOrNull('c', 2 ** 31),
    };
    fields.end();
    return model;
  });
  return { models, queueMs };
}

export function encodeLeaseAsk(ask: LeaseAsk): CborMap {
  return ask.kind === 'release' ? { r: ask.lease } : { m: ask.model, t: ask.task, ms: ask.ms };
}

export function decodeLeaseAsk(metadata: CborMap): LeaseAsk {
  const fields = new Fields(metadata, 'the ask for a lease');
  const ask: LeaseAsk = fields.has('r')
    ? { kind: 'release', lease: fields.bytes('r', ID_BYTES) }
    : {
        kind: 'want',
        model: fields.text('m', 200, 1),
        task: fields.oneOf('t', TASKS),
        ms: fields.count('ms', DAY_MS),
      };
  fields.end();
  return ask;
}

export function encodeLease(answer: LeaseAnswer): CborMap {
  if (answer.state === 'granted') return { s: answer.state, l: answer.lease, ms: answer.ms };
  if (answer.state === 'busy') return { s: answer.state, ms: answer.ms };
  return answer.state === 'denied'
    ? { s: answer.state, w: answer.reason, x: answer.message }
    : { s: answer.state };
}

export function decodeLease(metadata: CborMap): LeaseAnswer {
  const fields = new Fields(metadata, 'the lease');
  const state = fields.oneOf('s', ['granted', 'busy', 'denied', 'released']);
  const answer = ((): LeaseAnswer => {
    if (state === 'granted')
      return { state, lease: fields.bytes('l', ID_BYTES), ms: fields.count('ms', DAY_MS) };
    if (state === 'busy') return { state, ms: fields.count('ms', DAY_MS) };
    if (state === 'released') return { state };
    return { state, reason: fields.oneOf('w', DENIALS), message: fields.text('x', maxWords) };
  })();
  fields.end();
  return answer;
}

export const encodeOpening = ({ lease, request, ms }: Opening): CborMap => ({ l: lease, i: request, ms });

export function decodeOpening(metadata: CborMap): Opening {
  const fields = new Fields(metadata, 'the opening');
  const lease = fields.bytes('l', ID_BYTES);
  const opening = { lease, request: fields.bytes('i', ID_BYTES), ms: fields.count('ms', DAY_MS) };
  fields.end();
  return opening;
}

export interface EmbedAnswer extends SignedReceipt {
  readonly model: string;
  readonly dimension: number;
  /** Of each input. */
  readonly tokens: readonly number[];
  readonly vectors: Float32Array;
}

export function encodeEmbedded(answer: EmbedAnswer): PeerMessage {
  const { model: m, dimension: d, tokens: n, receipt: r, signature: g } = answer;
  const payload = new Uint8Array(answer.vectors.length * 4);
  const view = new DataView(payload.buffer);
  for (const [index, value] of answer.vectors.entries()) view.setFloat32(index * 4, value, true);
  return { metadata: { m, d, n, r, g }, payload };
}

/** `inputs`: how many rows there have to be. */
export function decodeEmbedded({ metadata, payload }: PeerMessage, inputs: number): EmbedAnswer {
  const fields = new Fields(metadata, 'the embeddings');
  const dimension = fields.count('d', PEER_BOUNDS.dimension);
  const tokens = fields.list('n', inputs).map((each) => countOf(each));
  const answer = { model: fields.text('m', 200, 1), dimension, tokens, ...signedOf(fields) };
  fields.end();
  if (dimension === 0 || tokens.length !== inputs || payload.length !== 4 * inputs * dimension)
    throw malformed(`it has not ${inputs} vectors of ${dimension} numbers with their tokens`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const vectors = Float32Array.from({ length: inputs * dimension }, (_, at) => view.getFloat32(at * 4, true));
  if (!vectors.every(Number.isFinite)) throw malformed('a vector has numbers that are none');
  return { ...answer, vectors };
}

export function encodeReceipts(receipts: readonly SignedReceipt[]): PeerMessage {
  const rows = receipts.slice(-PEER_BOUNDS.receipts).map(({ receipt: r, signature: g }) => ({ r, g }));
  return { metadata: {}, payload: encodePayload(rows, PEER_BOUNDS.eventBytes) };
}

export function decodeReceipts({ payload }: PeerMessage): SignedReceipt[] {
  const rows = decodePayload(payload, PEER_BOUNDS.eventBytes);
  if (!Array.isArray(rows) || rows.length > PEER_BOUNDS.receipts) throw malformed('it has too many receipts');
  return rows.map((row: CborValue) => {
    const fields = new Fields(row, 'a receipt');
    const signed = signedOf(fields);
    fields.end();
    return signed;
  });
}

/** Fields `r` and `g`. */
export function signedOf(fields: Fields): SignedReceipt {
  const receipt = fields.bytesUpTo('r', PEER_BOUNDS.receiptBytes);
  return { receipt, signature: fields.bytes('g', SIGNATURE_BYTES) };
}

/** A count in a list. */
export function countOf(value: CborValue): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw malformed('a count is no whole number');
}
