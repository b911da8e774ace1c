/**
 * Runs the cases on a model and checks every answer with another validator.
 *
 * @module test/structured/answers
 */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Engine, GenerateRequest } from '../../src/engine/index.ts';
import type { SchemaCase } from './cases.ts';

const ajv = new Ajv2020({ strict: false, logger: false });

export interface Outcome {
  readonly finished: number;
  readonly cut: number;
  readonly tokens: number;
}

export async function write(
  engine: Engine,
  request: GenerateRequest,
): Promise<{ text: string; reason: string; tokens: number }> {
  let text = '';
  for await (const event of engine.generate(request)) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'finish') return { text, reason: event.reason, tokens: event.usage.completionTokens };
  }
  return assert.fail('the stream ended without a finish');
}

/** Every answer that ended must be valid; returns how many did. */
export async function checkCases(
  engine: Engine,
  model: string,
  cases: readonly SchemaCase[],
  { temperature, maxTokens, atOnce }: { temperature: number; maxTokens: number; atOnce: number },
): Promise<Outcome> {
  const waiting = [...cases.entries()];
  let finished = 0;
  let cut = 0;
  let tokens = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { name, schema }] = next;
      const answer = await write(engine, {
        model,
        prompt: { kind: 'text', text: `Answer with JSON: ${name}.\n` },
        // Any token at temperature 1: nothing but the grammar holds the answer.
        sampler: { temperature, topK: 0, topP: 1, minP: 0, seed: index + 1 },
        maxTokens,
        stop: [],
        grammar: { kind: 'json_schema', schema },
      });
      tokens += answer.tokens;
      if (answer.reason === 'length') {
        cut++;
        continue;
      }
      finished++;
      assert.equal(answer.reason, 'stop');
      const valid = ajv.compile(schema as object);
      let value: unknown;
      try {
        value = JSON.parse(answer.text);
      } catch {
        assert.fail(`${name}: not JSON: ${answer.text}`);
      }
      assert.ok(valid(value), `${name}: ${answer.text} ${ajv.errorsText(valid.errors)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { finished, cut, tokens };
}
