/**
 * Token log probabilities in the two shapes OpenAI's API has.
 *
 * @module server/openai/logprobs
 */
import type { TokenLogprob, TokenLogprobs } from '../../engine/index.ts';

const decoder = new TextDecoder();

function entry({ bytes, logprob }: TokenLogprob) {
  return { token: decoder.decode(bytes), logprob, bytes: [...bytes] };
}

/** Shape of chat completions: `{content: [{token, logprob, bytes, top_logprobs}]}`. */
export function chatLogprobs(tokens: readonly TokenLogprobs[]) {
  return {
    content: tokens.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
    refusal: null,
  };
}

/** Shape of completions; `text_offset` counts UTF-16 units from the start of the choice's text. */
export interface LegacyLogprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
  text_offset: number[];
}

export function legacyLogprobs(tokens: readonly TokenLogprobs[], offset: number): LegacyLogprobs {
  const result: LegacyLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  let at = offset;
  for (const token of tokens) {
    const text = decoder.decode(token.bytes);
    result.tokens.push(text);
    result.token_logprobs.push(token.logprob);
    const top: Record<string, number> = Object.create(null);
    // Different tokens can print the same text; the likelier one, which comes first, stays.
    for (const each of token.top) top[decoder.decode(each.bytes)] ??= each.logprob;
    result.top_logprobs.push(top);
    result.text_offset.push(at);
    at += text.length;
  }
  return result;
}
