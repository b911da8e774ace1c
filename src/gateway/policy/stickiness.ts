/**
 * Which backend a conversation was last answered by. It keeps to it, since its prompt is cached there; it may move up in
 * quality, not down.
 *
 * @module gateway/policy/stickiness
 */
import type { Candidate } from './types.ts';

export interface Place {
  readonly backend: string;
  readonly model: string;
  /** The highest quality that the conversation has been answered with. */
  readonly quality: number;
}

export interface Stickiness {
  /** Where the conversation was last answered; null when it is not known. */
  of(conversation: string): Place | null;
  /** The candidate has answered. */
  remember(conversation: string, candidate: Candidate): void;
  forget(conversation: string): void;
  readonly size: number;
}

/** Keeps the `capacity` conversations that were used last. Ids over 200 characters are not kept. */
export function createStickiness(capacity = 10_000): Stickiness {
  // A Map keeps the order of insertion: the first is the one not used for longest.
  const places = new Map<string, Place>();
  return {
    of: (conversation) => places.get(conversation) ?? null,
    remember(conversation, { backend, model, quality }) {
      if (conversation.length > 200) return;
      const before = places.get(conversation);
      places.delete(conversation);
      // Answered below its quality since nothing better was there: it goes back up as soon as it can.
      const kept = before !== undefined && quality < before.quality;
      places.set(conversation, kept ? before : { backend: backend.name, model, quality });
      if (places.size > capacity) places.delete(places.keys().next().value!);
    },
    forget(conversation) {
      places.delete(conversation);
    },
    get size() {
      return places.size;
    },
  };
}
