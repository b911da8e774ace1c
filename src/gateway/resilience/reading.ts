/**
 * What has been read of an answer so far: whether it has begun, whether it is whole, and whether it could be continued
 * by somebody else.
 *
 * @module gateway/resilience/reading
 */
import { canonicalJson } from '../../base/index.ts';
import type { ChatEvent, Receipt } from '../types.ts';

/** How answers of one kind of event are read. */
export interface Reading<E> {
  /** Takes the next event; true once something of the answer itself has come. */
  take(event: E): boolean;
  /** Nothing is missing if it ends here. */
  readonly whole: boolean;
  /** It is whole and nothing more is to come. */
  readonly over: boolean;
  /** Events that complete an answer which is whole but for the facts that close it. */
  rest(): E[];
  /** Characters read. */
  readonly size: number;
  /** What was read, put so that equal answers are equal strings. Read once it is whole. */
  agreement(): string;
}

/** Over this many characters an answer is no longer kept to be continued, nor compared. */
export const keptCharacters = 1 << 20;

export interface ChatReading extends Reading<ChatEvent> {
  /** The text, as long as plain text of one choice is all there is; null when it cannot be continued. */
  readonly text: string | null;
  /** Estimate of the tokens read: backends send about one per piece, or about four characters. */
  readonly tokens: number;
}

/** `choices`: answers asked for at once. `keep`: the text is kept, to be continued or compared. */
export function readChat(choices: number, keep: boolean): ChatReading {
  const finished = new Set<number>();
  let text: string | null = keep && choices === 1 ? '' : null;
  let parts: Part[] | null = keep ? [] : null;
  let size = 0;
  let pieces = 0;
  let started = false;
  let counted = false;
  let promptTokens = 0;
  let cachedTokens = 0;
  let call: string | null = null;
  let backend = '';
  let model = '';

  function grow(choice: number, call: string | null, piece: string): void {
    size += piece.length;
    pieces++;
    if (parts === null) return;
    if (size > keptCharacters) {
      parts = null;
      text = null;
      return;
    }
    if (text !== null) text += piece;
    const last = parts.findLast((part) => part.choice === choice);
    if (last !== undefined && last.call === call) last.text += piece;
    else parts.push({ choice, call, text: piece });
  }

  return {
    take(event) {
      switch (event.type) {
        case 'start':
          backend = event.backend;
          model = event.model;
          promptTokens = event.promptTokens ?? 0;
          cachedTokens = event.cachedTokens ?? 0;
          return started;
        case 'text':
          grow(event.choice, null, event.text);
          break;
        case 'tool_call':
          text = null;
          call = `${event.index} ${event.name}`;
          grow(event.choice, call, '');
          break;
        case 'tool_arguments':
          grow(event.choice, call, event.text);
          break;
        case 'finish':
          finished.add(event.choice);
          break;
        case 'usage':
          counted = true;
          return started;
      }
      started = true;
      return true;
    },
    get whole() {
      return finished.size >= choices;
    },
    get over() {
      return counted && finished.size >= choices;
    },
    rest() {
      if (counted) return [];
      const receipt: Receipt = {
        backend,
        model,
        queueMs: null,
        prefillMs: null,
        decodeMs: null,
        notes: [`'${backend}' did not say how many tokens it used: the counts are estimates.`],
      };
      const completionTokens = tokensOf(pieces, size);
      return [{ type: 'usage', promptTokens, cachedTokens, completionTokens, receipt }];
    },
    get size() {
      return size;
    },
    agreement: () =>
      (parts ?? [])
        .sort((a, b) => a.choice - b.choice)
        .map(formOf)
        .join('\u0001'),
    get text() {
      return text;
    },
    get tokens() {
      return tokensOf(pieces, size);
    },
  };
}

/** A single value, for what is not streamed. */
export function readValue<T>(): Reading<T> {
  let whole = false;
  return {
    take() {
      whole = true;
      return true;
    },
    get whole() {
      return whole;
    },
    get over() {
      return whole;
    },
    rest: () => [],
    size: 0,
    agreement: () => '',
  };
}

/** A stretch of text, or the arguments of one call. */
interface Part {
  readonly choice: number;
  readonly call: string | null;
  text: string;
}

function formOf({ choice, call, text }: Part): string {
  return `${choice} ${call ?? ''}\u0000${call === null ? normalForm(text) : argumentsForm(text)}`;
}

/** Arguments are equal when they are the same JSON, however it is written. */
function argumentsForm(text: string): string {
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return text;
  }
}

function tokensOf(pieces: number, characters: number): number {
  return Math.max(pieces, Math.ceil(characters / 4));
}

/** Equal for answers that differ in case, in white space, and in how Unicode writes the same character (NFKC). */
export function normalForm(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}
