/**
 * Holds a peer's answer to what was asked: the order of its events, the choices and tools there are, how much it may say.
 *
 * @module gateway/backends/peer/answer-reader
 */
import { PEER_BOUNDS, type PeerChat, type PeerEvent } from '../../peers/index.ts';
import { UPSTREAM_LIMITS } from '../../upstream/index.ts';
import { badAnswer, type PeerName, peerError } from './errors.ts';

interface Choice {
  calls: number;
  finished: boolean;
}

/** Characters that one token stands for at most: the longest in vocabularies are runs of white space. */
const tokenCharacters = 512;
/** What a peer may say beside the tokens: ends, halves of characters, what it holds back for stops. */
const spareEvents = 1024;
const maxCalls = 256;

export class AnswerReader {
  readonly #who: PeerName;
  readonly #request: PeerChat;
  readonly #tools: ReadonlySet<string>;
  readonly #choices: readonly Choice[];
  readonly #maxCharacters: number;
  readonly #maxEvents: number;
  #started = false;
  #characters = 0;
  #events = 0;

  constructor(who: PeerName, request: PeerChat) {
    const { n, maxTokens, tools = [], toolChoice } = request;
    this.#who = who;
    this.#request = request;
    this.#tools = new Set(toolChoice === 'none' ? [] : tools.map(({ name }) => name));
    this.#choices = Array.from({ length: n }, () => ({ calls: 0, finished: false }));
    const tokens = maxTokens === null ? Number.POSITIVE_INFINITY : maxTokens * n;
    this.#maxCharacters = Math.min(UPSTREAM_LIMITS.maxResponseBytes, tokens * tokenCharacters + 4096);
    this.#maxEvents = Math.min(UPSTREAM_LIMITS.maxEvents, tokens * 4 + spareEvents);
  }

  get started(): boolean {
    return this.#started;
  }

  /** Throws `peer_bad_answer` for what may not come now. `usage` is let through only when every choice is finished. */
  check(event: PeerEvent): void {
    if (++this.#events > this.#maxEvents) throw this.#flood('events', this.#maxEvents);
    if (event.type === 'error') return;
    if (!this.#started) {
      if (event.type !== 'start') throw this.#bad(`began its answer with '${event.type}'`);
      if (event.model !== this.#request.model)
        throw this.#bad('answers with another model than was asked for');
      this.#started = true;
      return;
    }
    switch (event.type) {
      case 'start':
        throw this.#bad('began its answer twice');
      case 'text':
        this.#open(event.choice);
        if (event.logprobs !== null && (this.#request.sampler.topLogprobs ?? null) === null)
          throw this.#bad('sent log probabilities that nobody asked for');
        this.#grow(event.text);
        return;
      case 'tool_call': {
        const choice = this.#open(event.choice);
        if (!this.#tools.has(event.name)) throw this.#bad('calls a tool that was not offered');
        if (event.index !== choice.calls || choice.calls >= maxCalls)
          throw this.#bad('numbers its calls wrongly');
        if (choice.calls > 0 && this.#request.parallelToolCalls === false)
          throw this.#bad('calls more than one tool');
        choice.calls++;
        return;
      }
      case 'tool_arguments':
        if (event.index !== this.#open(event.choice).calls - 1) throw this.#bad('sent arguments of no call');
        this.#grow(event.text);
        return;
      case 'finish': {
        const choice = this.#open(event.choice);
        if (event.reason === 'aborted') throw peerError('cut', 'peer_cut', this.#who, 'gave its answer up.');
        if (event.reason === 'tool_calls' && choice.calls === 0)
          throw this.#bad('ended with calls and made none');
        choice.finished = true;
        return;
      }
      case 'usage': {
        if (!this.#choices.every(({ finished }) => finished))
          throw this.#bad('counted an answer that is not whole');
        const { n, maxTokens } = this.#request;
        const { completionTokens, promptTokens, cachedTokens } = event;
        if (maxTokens !== null && (completionTokens ?? 0) > maxTokens * n)
          throw this.#bad('counts more tokens than it was asked for');
        if ((cachedTokens ?? 0) > (promptTokens ?? PEER_BOUNDS.tokens))
          throw this.#bad('counts its cache wrongly');
        return;
      }
    }
  }

  #open(index: number): Choice {
    const choice = this.#choices[index];
    if (choice === undefined) throw this.#bad(`sent choice ${index} of ${this.#choices.length}`);
    if (choice.finished) throw this.#bad(`went on with choice ${index} after its end`);
    return choice;
  }

  #grow(text: string): void {
    this.#characters += text.length;
    if (this.#characters > this.#maxCharacters) throw this.#flood('characters', this.#maxCharacters);
  }

  #flood(what: string, most: number) {
    return this.#bad(`sent more than ${most} ${what}, more than its answer can have`);
  }

  #bad(what: string) {
    return badAnswer(this.#who, `${what}.`);
  }
}
