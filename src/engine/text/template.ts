/**
 * Chat templates: Jinja from a model file, so untrusted. What this file bounds is the size of source and output and
 * the length of `range`; time and memory are bounded by the thread it runs in.
 *
 * @module engine/text/template
 */

import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { InputError, KithError, messageOf } from '../../base/index.ts';
import { strftime } from './clock-format.ts';
import { MAX_PROMPT_UNITS, MAX_RANGE, MAX_REASON_UNITS, MAX_TEMPLATE_UNITS } from './limits.ts';

export interface CompiledTemplate {
  readonly source: string;
  /**
   * @param now ms since epoch, for `strftime_now`.
   * @throws {InputError} `template_failed` with param `messages` when the template calls `raise_exception`;
   * @throws {KithError} `template_failed`, status 422, when the template itself fails.
   */
  render(variables: Readonly<Record<string, unknown>>, now: number): string;
}

class TemplateRefusal extends Error {}

/** Names a template finds besides the variables; a variable cannot take their place. */
const RESERVED = new Set(
  'true false none True False None namespace raise_exception range strftime_now'.split(' '),
);

function cut(text: string): string {
  return text.length > MAX_REASON_UNITS ? `${text.slice(0, MAX_REASON_UNITS)}…` : text;
}

export function templateFailure(stage: string, reason: string, cause?: unknown): KithError {
  return new KithError('template_failed', `The model's chat template failed (${stage}): ${cut(reason)}`, {
    status: 422,
    details: { stage },
    cause,
  });
}

function boundedRange(start: unknown, stop?: unknown, step: unknown = 1): number[] {
  const [from, to] = typeof stop === 'number' ? [start, stop] : [0, start];
  if (!Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(step) || step === 0) {
    throw new Error('range() takes integers and a step that is not 0');
  }
  const [first, by] = [from as number, step as number];
  const length = Math.max(0, Math.ceil(((to as number) - first) / by));
  if (length > MAX_RANGE) throw new Error(`range() would make ${length} items; the limit is ${MAX_RANGE}`);
  return Array.from({ length }, (_, i) => first + i * by);
}

function environment(variables: Readonly<Record<string, unknown>>, now: number): Environment {
  const env = new Environment();
  env.set('true', true);
  env.set('True', true);
  env.set('false', false);
  env.set('False', false);
  env.set('none', null);
  env.set('None', null);
  env.set('range', boundedRange);
  env.set('raise_exception', (message: unknown) => {
    throw new TemplateRefusal(String(message));
  });
  env.set('strftime_now', (format: unknown) => strftime(String(format), new Date(now)));
  for (const [name, value] of Object.entries(variables)) if (!RESERVED.has(name)) env.set(name, value);
  return env;
}

/** @throws {KithError} `template_failed`, status 422, when the source is too long or no valid template. */
export function compileTemplate(source: string): CompiledTemplate {
  if (source.length > MAX_TEMPLATE_UNITS) {
    throw templateFailure('size', `it has ${source.length} characters; the limit is ${MAX_TEMPLATE_UNITS}.`);
  }
  let program: ReturnType<typeof parse>;
  try {
    program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  } catch (cause) {
    throw templateFailure('syntax', messageOf(cause), cause);
  }
  return {
    source,
    render(variables, now) {
      let result: unknown;
      try {
        result = new Interpreter(environment(variables, now)).run(program).value;
      } catch (cause) {
        if (cause instanceof TemplateRefusal) {
          throw new InputError(
            'template_failed',
            `The model's chat template refuses these messages: ${cut(cause.message)}`,
            { param: 'messages', details: { stage: 'refused' } },
          );
        }
        throw templateFailure('rendering', messageOf(cause), cause);
      }
      if (typeof result !== 'string') throw templateFailure('rendering', 'it made no text.');
      if (result.length > MAX_PROMPT_UNITS) {
        throw templateFailure(
          'size',
          `it made ${result.length} characters; the limit is ${MAX_PROMPT_UNITS}.`,
        );
      }
      return result;
    },
  };
}
