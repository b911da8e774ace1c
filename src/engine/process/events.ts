/**
 * Generation events across the process boundary, and the queue that holds them for a slow reader.
 *
 * @module engine/process/events
 */

import { KithError } from '../../base/index.ts';
import type { GenerateEvent, TokenLogprob, TokenLogprobs } from '../types.ts';
import type { FrameMeta } from './frames.ts';

type TextEvent = Extract<GenerateEvent, { type: 'text' }>;

/** Token bytes travel as base64: they may be part of a character, which JSON text cannot hold. */
interface WireLogprob {
  t: number;
  b: string;
  p: number;
  top?: WireLogprob[];
}

export function encodeEvent(event: GenerateEvent): FrameMeta {
  if (event.type !== 'text') return event as unknown as FrameMeta;
  return { ...event, logprobs: event.logprobs === null ? null : event.logprobs.map(toWire) };
}

function toWire(entry: TokenLogprob | TokenLogprobs): WireLogprob {
  const wire: WireLogprob = {
    t: entry.token,
    b: Buffer.from(entry.bytes).toString('base64'),
    p: entry.logprob,
  };
  if ('top' in entry) wire.top = entry.top.map(toWire);
  return wire;
}

/** Throws `frame_invalid` when the meta is not an event. The engine process is ours, so only the outline is checked. */
export function decodeEvent(meta: FrameMeta): GenerateEvent {
  if (meta.type === 'start' || meta.type === 'finish') return meta as unknown as GenerateEvent;
  if (meta.type !== 'text' || typeof meta.text !== 'string' || typeof meta.tokens !== 'number') {
    throw new KithError('frame_invalid', 'The engine process sent something that is no generation event.');
  }
  const logprobs = Array.isArray(meta.logprobs) ? (meta.logprobs as WireLogprob[]).map(fromWire) : null;
  return { type: 'text', text: meta.text, tokens: meta.tokens, logprobs };
}

function fromWire(wire: WireLogprob): TokenLogprobs {
  return {
    token: wire.t,
    bytes: bytesOf(wire),
    logprob: wire.p ?? Number.NEGATIVE_INFINITY,
    top: (wire.top ?? []).map(topFromWire),
  };
}

function topFromWire(wire: WireLogprob): TokenLogprob {
  return { token: wire.t, bytes: bytesOf(wire), logprob: wire.p ?? Number.NEGATIVE_INFINITY };
}

function bytesOf(wire: WireLogprob): Uint8Array {
  // A copy: Buffer.from(base64) may be a view of node's shared pool, which must not be kept alive by events.
  return new Uint8Array(Buffer.from(wire.b, 'base64'));
}

/** One text event that says what the given ones say, in order. */
export function mergeText(events: readonly TextEvent[]): TextEvent {
  let text = '';
  let tokens = 0;
  let logprobs: TokenLogprobs[] | null = null;
  for (const event of events) {
    text += event.text;
    tokens += event.tokens;
    if (event.logprobs !== null) {
      logprobs ??= [];
      for (const entry of event.logprobs) logprobs.push(entry);
    }
  }
  return { type: 'text', text, tokens, logprobs };
}

/** Text events kept apart for a reader that lags; what comes beyond is merged into one. */
const MAX_WAITING = 64;

/**
 * Events between one producer and one reader. A reader that lags gets text events merged, so the queue holds at most
 * a few entries and its text is bounded by the request's token limit.
 */
export class EventQueue {
  #waiting: GenerateEvent[] = [];
  /** Text events to be merged after `#waiting`. */
  #overflow: TextEvent[] = [];
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | null = null;

  get waiting(): number {
    return this.#waiting.length + (this.#overflow.length > 0 ? 1 : 0);
  }

  push(event: GenerateEvent): void {
    if (this.#ended) return;
    if (event.type === 'text' && this.#waiting.length >= MAX_WAITING) {
      this.#overflow.push(event);
      if (this.#overflow.length >= MAX_WAITING) this.#overflow = [mergeText(this.#overflow)];
    } else {
      this.#spill();
      this.#waiting.push(event);
    }
    this.#signal();
  }

  /** No event follows. Those waiting are still delivered. */
  end(): void {
    this.#ended = true;
    this.#signal();
  }

  /** The reader gets what waits, then the error. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = error;
    this.#signal();
  }

  /** Nobody reads any more: what waits and what comes is dropped. */
  close(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#overflow = [];
    this.#signal();
  }

  /** The next event, or null after the end. Throws what `fail` was given. One reader at a time. */
  async next(): Promise<GenerateEvent | null> {
    for (;;) {
      if (this.#waiting.length === 0) this.#spill();
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #spill(): void {
    if (this.#overflow.length === 0) return;
    this.#waiting.push(mergeText(this.#overflow));
    this.#overflow = [];
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
