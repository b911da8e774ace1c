/**
 * Values of a chat request's fields: what of them is surely what the API takes. All else is doubted.
 *
 * @module gateway/relay/values
 */
import { isObject } from '../backends/json.ts';

class Doubt extends Error {}
/** Made once: whoever throws it wants nothing but out. */
export const doubt = new Doubt();

/** Fields that some kinds of servers do not take, or take under another name. */
const special = [
  'seed',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'tool_choice',
  'presence_penalty',
  'frequency_penalty',
] as const;
export type SpecialField = (typeof special)[number];
const specialFields: ReadonlySet<string> = new Set(special);
export const isSpecial = (name: string): name is SpecialField => specialFields.has(name);

/** Null counts as nothing said, here as below. Both limits are in the range. */
export function checkRange(value: unknown, least: number, most: number): number | null {
  if (value === null) return null;
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw doubt;
  return value;
}

function checkFlag(value: unknown): void {
  if (typeof value !== 'boolean' && value !== null) throw doubt;
}

/** One text or several, each as long as any is here. */
export function checkStop(value: unknown): void {
  if (value === null) return;
  const list = Array.isArray(value) ? value : [value];
  if (list.length > 16 || list.some((one) => typeof one !== 'string' || one === '')) throw doubt;
}

export function checkSpecial(name: SpecialField, value: unknown): void {
  switch (name) {
    case 'seed':
      if (value !== null && !Number.isSafeInteger(value)) throw doubt;
      break;
    case 'logit_bias':
      if (value === null) break;
      if (!isObject(value)) throw doubt;
      for (const [token, bias] of Object.entries(value)) {
        if (!/^\d{1,9}$/.test(token) || bias === null) throw doubt;
        checkRange(bias, -100, 100);
      }
      break;
    case 'logprobs':
    case 'parallel_tool_calls':
      checkFlag(value);
      break;
    case 'top_logprobs':
      if (!Number.isSafeInteger(value)) throw doubt;
      checkRange(value, 0, 20);
      break;
    case 'tool_choice':
      if (value !== 'auto' && value !== 'none' && value !== 'required') throw doubt;
      break;
    case 'presence_penalty':
    case 'frequency_penalty':
      checkRange(value, -2, 2);
  }
}

/** True when there are any. */
export function checkTools(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > 128) throw doubt;
  const names = new Set<string>();
  for (const tool of value) {
    if (!hasOnly(tool, ['type', 'function']) || tool.type !== 'function') throw doubt;
    const fn = tool.function;
    if (!hasOnly(fn, ['name', 'description', 'parameters', 'strict'])) throw doubt;
    const { name, description = null, parameters = null, strict = null } = fn;
    if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name) || names.has(name)) throw doubt;
    names.add(name);
    if (description !== null && (typeof description !== 'string' || description.length > 16_384)) throw doubt;
    if (parameters !== null && !isObject(parameters)) throw doubt;
    checkFlag(strict);
  }
  return names.size > 0;
}

function hasOnly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  return isObject(value) && Object.keys(value).every((name) => names.includes(name));
}

/** Null counts as nothing said. Options that are not known here are left to the ordinary way. */
export function wantsUsage(options: unknown): boolean {
  if (options === null) return false;
  if (typeof options !== 'object' || Array.isArray(options)) throw doubt;
  const { include_usage: wanted = false, ...more } = options as Record<string, unknown>;
  if (typeof wanted !== 'boolean' || Object.keys(more).length > 0) throw doubt;
  return wanted;
}
