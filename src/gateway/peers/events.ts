/**
 * The events of a peer's chat on the wire: `kith/chat/1` in the tables of `protocol.ts`.
 *
 * @module gateway/peers/events
 */
import type { CborMap, CborValue } from '../../base/index.ts';
import type { TokenLogprob, TokenLogprobs } from '../../engine/index.ts';
import type { ChatEvent, FinishReason } from '../types.ts';
import { Fields, malformed } from './fields.ts';
import {
  countOf,
  DAY_MS,
  decodePayload,
  encodePayload,
  PEER_BOUNDS,
  type PeerMessage,
  type SignedReceipt,
  signedOf,
} from './protocol.ts';

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
  | Extract<ChatEvent, { type: 'text' | 'tool_call' | 'tool_arguments' | 'finish' }>
  | PeerUsage
  | PeerFailure;

const REASONS: readonly FinishReason[] = ['stop', 'length', 'aborted', 'tool_calls'];
const EVENTS = ['start', 'text', 'scored', 'call', 'args', 'finish', 'usage', 'error'] as const;
const NOTHING = new Uint8Array(0);
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const maxNotes = 8;
const maxNote = 300;
/** Below it a log probability says no more; CBOR here has no infinity. */
const leastLogprob = -10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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

function notesOf(list: readonly CborValue[]): string[] {
  return list.map((note) => {
    if (typeof note !== 'string' || note.length > maxNote) throw malformed('a note is no short text');
    return note;
  });
}
