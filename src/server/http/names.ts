/**
 * Names that the rooms below use for request fields, and what the fields are called in a body. An error from inside
 * that blames a field is told in the client's own words.
 *
 * @module server/http/names
 */
const bodyNames: Readonly<Record<string, string>> = {
  maxTokens: 'max_tokens',
  topK: 'top_k',
  topP: 'top_p',
  minP: 'min_p',
  repeatPenalty: 'repeat_penalty',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  logitBias: 'logit_bias',
  topLogprobs: 'top_logprobs',
  grammar: 'response_format',
  keepTokens: 'kith.keep_tokens',
  timeoutMs: 'kith.timeout_ms',
};

/** Whole words; `engine.maxTokens` is the name of a setting and stays. */
const inside = new RegExp(`(?<![\\w.])(${Object.keys(bodyNames).join('|')})\\b`, 'g');

/** `param` and message of an error with the names of the body. */
export function inBodyNames(
  param: string | undefined,
  message: string,
): { param: string | null; message: string } {
  if (param === undefined || !Object.hasOwn(bodyNames, param)) return { param: param ?? null, message };
  return { param: bodyNames[param]!, message: message.replace(inside, (name) => bodyNames[name]!) };
}
