/**
 * Log probabilities in OpenAI's two shapes. Servers name tokens by their text: ids are unknown and stand as -1.
 *
 * @module gateway/backends/openai/logprobs
 */
import type { TokenLogprob, TokenLogprobs } from '../../../engine/index.ts';
import { arrayIn, isObject, type JsonObject, stringIn } from '../json.ts';

const encoder = new TextEncoder();

function entry(value: JsonObject): TokenLogprob | null {
  const text = stringIn(value.token);
  if (text === null || typeof value.logprob !== 'number') return null;
  const bytes = Array.isArray(value.bytes) ? Uint8Array.from(value.bytes.map(Number)) : encoder.encode(text);
  return { token: -1, bytes, logprob: value.logprob };
}

/** `{content: [{token, logprob, bytes, top_logprobs}]}`; null without any. */
export function chatLogprobs(value: JsonObject): TokenLogprobs[] | null {
  const tokens: TokenLogprobs[] = [];
  for (const each of arrayIn(value.content)) {
    if (!isObject(each)) continue;
    const token = entry(each);
    if (token === null) continue;
    const top = arrayIn(each.top_logprobs).filter(isObject).map(entry);
    tokens.push({ ...token, top: top.filter((one) => one !== null) });
  }
  return tokens.length === 0 ? null : tokens;
}

/** `{tokens, token_logprobs, top_logprobs: [{text: logprob}]}`; null without any. */
export function completionLogprobs(value: JsonObject): TokenLogprobs[] | null {
  const tops = arrayIn(value.top_logprobs);
  const numbers = arrayIn(value.token_logprobs);
  const tokens = arrayIn(value.tokens).flatMap((token, index): TokenLogprobs[] => {
    const logprob = numbers[index];
    // The first token of an echoed prompt has none.
    if (typeof token !== 'string' || typeof logprob !== 'number') return [];
    const top = Object.entries(isObject(tops[index]) ? tops[index] : {}).flatMap(([text, each]) =>
      typeof each === 'number' ? [{ token: -1, bytes: encoder.encode(text), logprob: each }] : [],
    );
    return [{ token: -1, bytes: encoder.encode(token), logprob, top }];
  });
  return tokens.length === 0 ? null : tokens;
}
