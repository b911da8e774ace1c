/**
 * Errors of the Responses API: fields that a fault blames are called what they are called in this API's body.
 *
 * @module server/openai/responses/faults
 */
import { type Fault, type OpenAiError, openAiError } from '../../http/errors.ts';

/** Names of chat completions, which the rooms below are translated to, and the same things here. */
const names: Readonly<Record<string, string>> = {
  max_tokens: 'max_output_tokens',
  messages: 'input',
  response_format: 'text.format',
};

export function inResponseNames(fault: Fault): Fault {
  const { param, message } = fault;
  if (param === null || !Object.hasOwn(names, param)) return fault;
  const word = new RegExp(`(?<![\\w.])${param}\\b`, 'g');
  return { ...fault, param: names[param]!, message: message.replace(word, names[param]!) };
}

export function responseError(fault: Fault): OpenAiError {
  return openAiError(inResponseNames(fault));
}
