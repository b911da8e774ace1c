/**
 * Events on their way out of the engine process. While the pipe is full, text events of one request are merged, so
 * what waits is bounded by the requests in flight, however long the reader stalls.
 *
 * @module engine/process/outbox
 */

import type { GenerateEvent } from '../types.ts';
import type { OutgoingFrame } from './channel.ts';
import { encodeEvent, mergeText } from './events.ts';

type TextEvent = Extract<GenerateEvent, { type: 'text' }>;

/** Bytes written and not taken by the pipe above which text events wait. */
const FULL_BYTES = 256 * 1024;
/** Text events of one request kept before they are merged. */
const MERGE_AT = 64;

export interface Outbox {
  /** An event of request `id`. Order within a request is kept. */
  event(id: number, event: GenerateEvent): void;
  /** Any other frame of request `id`: goes out after the events that wait for it. */
  frame(frame: OutgoingFrame): void;
  /** The pipe has room again. */
  drained(): void;
  /** Requests whose text waits. */
  readonly waiting: number;
}

export function createOutbox(channel: {
  send(frame: OutgoingFrame): boolean;
  readonly backlog: number;
}): Outbox {
  const held = new Map<number, TextEvent[]>();
  const flush = (id: number): void => {
    const events = held.get(id);
    if (events === undefined) return;
    held.delete(id);
    channel.send({ type: 'event', id, meta: encodeEvent(mergeText(events)) });
  };
  return {
    event(id, event) {
      if (event.type === 'text' && (channel.backlog > FULL_BYTES || held.has(id))) {
        const events = held.get(id);
        if (events === undefined) held.set(id, [event]);
        else {
          events.push(event);
          if (events.length >= MERGE_AT) events.splice(0, events.length, mergeText(events));
        }
        return;
      }
      flush(id);
      channel.send({ type: 'event', id, meta: encodeEvent(event) });
    },
    frame(frame) {
      flush(frame.id);
      channel.send(frame);
    },
    drained() {
      for (const id of [...held.keys()]) flush(id);
    },
    get waiting() {
      return held.size;
    },
  };
}
