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
import type { TokenLogprob, TokenLogprobs } from '../../engine/index.ts';
import type { FinishReason } from '../types.ts';
import { Fields, isMap, malformed } from './fields.ts';

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

export interface PeerUsage extends SignedReceipt {
  readonly type: 'usage';
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly queueMs: number | null;
  readonly prefillMs: number | null;
  readonly decodeMs: number | null;
  readonly notes: readonly string[];
}

export interface PeerFailure {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly retryMs: number | null;
}

export type PeerEvent =
  | {
      readonly type: 'start';
      readonly model: string;
      readonly promptTokens: number | null;
      readonly cachedTokens: number | null;
    }
  | {
      readonly type: 'text';
      readonly choice: number;
      readonly text: string;
      readonly logprobs: readonly TokenLogprobs[] | null;
    }
  | {
      readonly type: 'tool_call';
      readonly choice: number;
      readonly index: number;
      readonly id: string;
      readonly name: string;
    }
  | {
      readonly type: 'tool_arguments';
      readonly choice: number;
      readonly index: number;
      readonly text: string;
    }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly stop: string | null;
      readonly slidTokens: number;
    }
  | PeerUsage
  | PeerFailure;

export interface PeerMessage {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

const REASONS: readonly FinishReason[] = ['stop', 'length', 'aborted', 'tool_calls'];
const EVENTS = ['start', 'text', 'scored', 'call', 'args', 'finish', 'usage', 'error'] as const;
const NOTHING = new Uint8Array(0);
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const maxNotes = 16;
const maxNote = 300;
/** Below it a log probability says no more; CBOR here has no infinity. */
const leastLogprob = -10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
    return { state, reason: fields.oneOf('w', DENIALS), message: fields.text('x', maxNote) };
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

/** Text over its bound goes out in several. */
export function encodeEvent(event: PeerEvent): PeerMessage[] {
  switch (event.type) {
    case 'start': {
      const { model, promptTokens, cachedTokens } = event;
      return [bare({ e: 'start', m: model, p: promptTokens, k: cachedTokens })];
    }
    case 'text':
      if (event.logprobs !== null) return [scored(event.choice, event.text, event.logprobs)];
      return pieces(event.text).map((payload) => ({ metadata: { e: 'text', c: event.choice }, payload }));
    case 'tool_call':
      return [bare({ e: 'call', c: event.choice, i: event.index, d: event.id, n: event.name })];
    case 'tool_arguments':
      return pieces(event.text).map((payload) => ({
        metadata: { e: 'args', c: event.choice, i: event.index },
        payload,
      }));
    case 'finish': {
      const { choice, reason, stop, slidTokens } = event;
      return [bare({ e: 'finish', c: choice, w: reason, x: stop, d: slidTokens })];
    }
    case 'usage': {
      const { promptTokens: p, cachedTokens: k, completionTokens: o, receipt: r, signature: g } = event;
      const { queueMs: q, prefillMs: f, decodeMs: d } = event;
      const x = event.notes.slice(0, maxNotes).map((note) => note.slice(0, maxNote).toWellFormed());
      return [bare({ e: 'usage', p, k, o, q, f, d, x, r, g })];
    }
    case 'error': {
      const { code, message, status, retryMs } = event;
      return [bare({ e: 'error', w: code, x: message, s: status, a: retryMs })];
    }
  }
}

/** Throws InputError `peer_malformed` or `cbor_invalid`. */
export function decodeEvent({ metadata, payload }: PeerMessage): PeerEvent {
  const fields = new Fields(metadata, 'an event');
  const kind = fields.oneOf('e', EVENTS);
  const choice = (): number => fields.count('c', PEER_BOUNDS.choices - 1);
  const index = (): number => fields.count('i', 255);
  const tokens = (key: string): number | null => fields.countOrNull(key, PEER_BOUNDS.tokens);
  const ms = (key: string): number | null => fields.amountOrNull(key, DAY_MS);
  const read = (): PeerEvent => {
    switch (kind) {
      case 'start':
        return {
          type: 'start',
          model: fields.text('m', 200, 1),
          promptTokens: tokens('p'),
          cachedTokens: tokens('k'),
        };
      case 'text':
        return { type: 'text', choice: choice(), text: textOf(payload), logprobs: null };
      case 'scored':
        return { type: 'text', choice: choice(), ...scoredOf(payload) };
      case 'call': {
        const at = { choice: choice(), index: index() };
        const id = fields.text('d', 256, 1);
        if (!/^[\x21-\x7e]+$/.test(id)) throw malformed('the id of a call is not of visible ASCII');
        return { type: 'tool_call', ...at, id, name: fields.text('n', 64, 1) };
      }
      case 'args':
        return { type: 'tool_arguments', choice: choice(), index: index(), text: textOf(payload) };
      case 'finish': {
        const reason = fields.oneOf('w', REASONS as readonly [FinishReason, ...FinishReason[]]);
        const stop = fields.textOrNull('x', 1000);
        return {
          type: 'finish',
          choice: choice(),
          reason,
          stop,
          slidTokens: fields.count('d', PEER_BOUNDS.tokens),
        };
      }
      case 'usage':
        return {
          type: 'usage',
          ...{ promptTokens: tokens('p'), cachedTokens: tokens('k'), completionTokens: tokens('o') },
          ...{ queueMs: ms('q'), prefillMs: ms('f'), decodeMs: ms('d') },
          notes: notesOf(fields.list('x', maxNotes)),
          ...signedOf(fields),
        };
      case 'error': {
        const code = fields.text('w', 64, 1);
        if (!CODE.test(code)) throw malformed('an error has no code');
        const status = fields.count('s', 599);
        return { type: 'error', code, message: fields.text('x', 500), status, retryMs: ms('a') };
      }
    }
  };
  const event = read();
  fields.end();
  const bare = kind !== 'text' && kind !== 'scored' && kind !== 'args';
  if (bare && payload.length > 0) throw malformed(`an event '${kind}' has a payload`);
  return event;
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

function signedOf(fields: Fields): SignedReceipt {
  const receipt = fields.bytesUpTo('r', PEER_BOUNDS.receiptBytes);
  return { receipt, signature: fields.bytes('g', SIGNATURE_BYTES) };
}

const bare = (metadata: CborMap): PeerMessage => ({ metadata, payload: NOTHING });

/** UTF-8 of the text in parts within the bound, cut between characters. */
function pieces(text: string): Uint8Array[] {
  // Three bytes for each UTF-16 unit at most.
  const units = Math.floor(PEER_BOUNDS.textBytes / 3);
  const parts: Uint8Array[] = [];
  let at = 0;
  do {
    let end = Math.min(text.length, at + units);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
    parts.push(encoder.encode(text.slice(at, end)));
    at = end;
  } while (at < text.length);
  return parts;
}

function textOf(payload: Uint8Array): string {
  if (payload.length > PEER_BOUNDS.textBytes) throw malformed('a piece of text is too long');
  try {
    return decoder.decode(payload);
  } catch {
    throw malformed('a text is not UTF-8');
  }
}

function scored(choice: number, text: string, logprobs: readonly TokenLogprobs[]): PeerMessage {
  const row = ({ token, bytes, logprob }: TokenLogprob): CborValue[] => [
    token,
    bytes,
    Number.isFinite(logprob) ? Math.max(leastLogprob, logprob) : leastLogprob,
  ];
  const l = logprobs.map((one) => [...row(one), one.top.map(row)]);
  const payload = encodePayload({ t: text.toWellFormed(), l }, PEER_BOUNDS.eventBytes);
  return { metadata: { e: 'scored', c: choice }, payload };
}

function scoredOf(payload: Uint8Array): { text: string; logprobs: TokenLogprobs[] } {
  const fields = new Fields(decodePayload(payload, PEER_BOUNDS.eventBytes), 'a scored text');
  const text = fields.text('t', PEER_BOUNDS.textBytes);
  const logprobs = fields.list('l', 4096).map((row): TokenLogprobs => {
    const one = logprobOf(row, 4);
    const top = (row as readonly CborValue[])[3];
    if (!Array.isArray(top) || top.length > 20) throw malformed('a token has more than 20 alternatives');
    return { ...one, top: top.map((each: CborValue) => logprobOf(each, 3)) };
  });
  fields.end();
  return { text, logprobs };
}

function logprobOf(row: CborValue, length: number): TokenLogprob {
  if (!Array.isArray(row) || row.length !== length) throw malformed('a log probability is no such row');
  const [token, bytes, logprob] = row as CborValue[];
  if (!(bytes instanceof Uint8Array) || bytes.length > 1024 || typeof logprob !== 'number')
    throw malformed('a log probability is no number');
  return { token: countOf(token!), bytes, logprob };
}

function countOf(value: CborValue): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw malformed('a count is no whole number');
}

function notesOf(list: readonly CborValue[]): string[] {
  return list.map((note) => {
    if (typeof note !== 'string' || note.length > maxNote) throw malformed('a note is no short text');
    return note;
  });
}

/** True for what a call may hold as JSON: no bytes, no integers beyond 2^53. */
export function isJson(value: CborValue | unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (isMap(value as CborValue)) return Object.values(value as object).every(isJson);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
