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

/** `text`: to be continued; `all`: to be compared with other answers. */
export type Keep = 'nothing' | 'text' | 'all';

/** A class for its speed: one is made for each attempt, and asked for each event. */
export class ChatReading implements Reading<ChatEvent> {
  /** Characters read. */
  size = 0;
  /** It is whole and nothing more is to come. */
  over = false;
  /** The text, as long as plain text of one choice is all there is; null when it cannot be continued. */
  text: string | null;
  #parts: Part[] | null;
  readonly #choices: number;
  /** Choices that have their finish: a number for one choice, a set for more. */
  #finished: number | Set<number>;
  #pieces = 0;
  #started = false;
  #counted = false;
  #start: Extract<ChatEvent, { type: 'start' }> | null = null;
  /** The call that arguments belong to. */
  #call: string | null = null;

  /** `choices`: answers asked for at once. */
  constructor(choices: number, keep: Keep) {
    this.#choices = choices;
    this.#finished = choices === 1 ? 0 : new Set();
    this.text = keep !== 'nothing' && choices === 1 ? '' : null;
    this.#parts = keep === 'all' ? [] : null;
  }

  take(event: ChatEvent): boolean {
    switch (event.type) {
      case 'start':
        this.#start = event;
        return this.#started;
      case 'text':
        this.#grow(event.choice, null, event.text);
        break;
      case 'tool_call':
        this.text = null;
        this.#call = `${event.index} ${event.name}`;
        this.#grow(event.choice, this.#call, '');
        break;
      case 'tool_arguments':
        this.text = null;
        this.#grow(event.choice, this.#call, event.text);
        break;
      case 'finish':
        if (typeof this.#finished === 'number') this.#finished = 1;
        else this.#finished.add(event.choice);
        break;
      case 'usage':
        this.#counted = true;
        this.over = this.whole;
        return this.#started;
    }
    this.#started = true;
    return true;
  }

  get whole(): boolean {
    return (typeof this.#finished === 'number' ? this.#finished : this.#finished.size) >= this.#choices;
  }

  rest(): ChatEvent[] {
    if (this.#counted) return [];
    const { backend = '', model = '', promptTokens = null, cachedTokens = null } = this.#start ?? {};
    const notes = [`'${backend}' did not say how many tokens it used.`];
    const receipt: Receipt = { backend, model, queueMs: null, prefillMs: null, decodeMs: null, notes };
    return [{ type: 'usage', promptTokens, cachedTokens, completionTokens: null, receipt }];
  }

  agreement(): string {
    return (this.#parts ?? [])
      .sort((a, b) => a.choice - b.choice)
      .map(formOf)
      .join('\u0001');
  }

  /** Estimate of the tokens read: backends send about one per piece, or about four characters. */
  get tokens(): number {
    return Math.max(this.#pieces, Math.ceil(this.size / 4));
  }

  #grow(choice: number, call: string | null, piece: string): void {
    this.size += piece.length;
    this.#pieces++;
    if (this.text !== null) this.text = this.size > keptCharacters ? null : this.text + piece;
    const parts = this.#parts;
    if (parts === null) return;
    if (this.size > keptCharacters) {
      this.#parts = null;
      return;
    }
    const last = parts.findLast((part) => part.choice === choice);
    if (last !== undefined && last.call === call) last.text += piece;
    else parts.push({ choice, call, text: piece });
  }
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

/** Equal for answers that differ in case, in white space, and in how Unicode writes the same character (NFKC). */
export function normalForm(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}
