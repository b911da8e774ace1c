/**
 * What the files of the `openai` package's script share.
 *
 * @module test/clients/openai-support
 */
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { clientMatrix, type Matrix, type scripted } from './support.ts';

export interface OpenAiMatrix extends Pick<Matrix, 'call' | 'calls'> {
  readonly matrix: Matrix;
  /** A client that tries once, unless told otherwise. */
  client(options?: object): OpenAI;
}

export function openAiMatrix(
  name: keyof typeof scripted,
  flags: Readonly<Record<string, unknown>> = {},
): OpenAiMatrix {
  const matrix = clientMatrix(name, flags);
  return {
    matrix,
    call: matrix.call,
    calls: matrix.calls,
    client: (options = {}) =>
      new OpenAI({ baseURL: `${matrix.url}/v1`, apiKey: 'none', maxRetries: 0, ...options }),
  };
}

export const model = 'tiny';
export const ask = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];
export const calm = { model, temperature: 0, seed: 1 };

export const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    strict: true,
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 }, unit: { enum: ['C', 'F'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
};

export function checkWeather(text: string): void {
  const { city, unit, ...rest } = JSON.parse(text) as Record<string, string>;
  assert.ok(typeof city === 'string' && city.length <= 12, text);
  assert.ok(unit === 'C' || unit === 'F', text);
  assert.deepEqual(rest, {});
}
