import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../base/index.ts';
import { createGrammarCheck, type Grammar } from '../../engine/index.ts';
import type { ChatRequest, ToolDefinition } from '../types.ts';
import type { Wording } from './conversation.ts';
import { planTools } from './plan.ts';
import { createToolSchemas } from './schemas.ts';

const schemas = createToolSchemas();
const check = createGrammarCheck();
const tool = (name: string, parameters: unknown = null, strict = false): ToolDefinition => ({
  name,
  description: null,
  parameters,
  strict,
});
const request = (changes: Partial<ChatRequest>): ChatRequest => ({
  model: 'm',
  messages: [{ role: 'user', content: 'Hello' }],
  n: 1,
  sampler: {},
  maxTokens: null,
  stop: [],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal: new AbortController().signal,
  ...changes,
});
const plan = (changes: Partial<ChatRequest>, wording: Wording = 'hermes') =>
  planTools(request(changes), wording, schemas);
const object = (properties: object) => ({ type: 'object', properties });

test('with auto the answer is free until it calls, with required it calls at once', async () => {
  const tools = [tool('f')];
  const kindOf = async (changes: Partial<ChatRequest>) => (await plan({ tools, ...changes })).grammar?.kind;
  assert.equal(await kindOf({}), 'text');
  assert.equal(await kindOf({ toolChoice: 'required' }), 'sequence');
  assert.equal(await kindOf({ grammar: { kind: 'json_object' } }), 'choice');
  assert.equal(await kindOf({ grammar: { kind: 'json_object' }, toolChoice: 'required' }), 'sequence');
});

test('with none, or without tools, the model does not hear of them', async () => {
  for (const changes of [{}, { tools: [] }, { tools: [tool('f')], toolChoice: 'none' as const }]) {
    const { conversation, grammar, parser, shown } = await plan(changes);
    assert.deepEqual([conversation.tools, grammar, parser, shown], [undefined, null, null, []]);
    const held = await plan({ ...changes, grammar: { kind: 'json_object' } });
    assert.deepEqual(held.grammar, { kind: 'json_object' });
  }
});

test('only the tool that is named can be called, and all are in the prompt', async () => {
  const { grammar, conversation } = await plan({ tools: [tool('f'), tool('g')], toolChoice: { name: 'g' } });
  const text = JSON.stringify(grammar);
  assert.match(text, /g\\\\?", /);
  assert.doesNotMatch(text, /"f\\\\?", /);
  assert.equal(conversation.tools?.length, 2);
  await assert.rejects(
    () => plan({ tools: [tool('f')], toolChoice: { name: 'h' } }),
    (error) => error instanceof InputError && error.param === 'tool_choice',
  );
  await assert.rejects(
    () => plan({ toolChoice: 'required' }),
    (error) => error instanceof InputError && error.param === 'tool_choice',
  );
});

test('what a strict schema asks for and cannot have is an error that names tool and keyword', async () => {
  const odd = object({ a: { type: 'array', uniqueItems: true } });
  await assert.rejects(
    () => plan({ tools: [tool('good'), tool('odd', odd, true)] }),
    (error) =>
      error instanceof InputError &&
      error.code === 'schema_unsupported' &&
      error.param === 'tools' &&
      error.details.tool === 'odd' &&
      /'odd' is strict.*'uniqueItems'/.test(error.message),
  );
  const { notes } = await plan({ tools: [tool('good'), tool('odd', odd)] });
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /'odd'.*any JSON object.*'uniqueItems'/);
});

test('arguments are an object, whatever the schema leaves open', async () => {
  for (const parameters of [
    {},
    { properties: { a: {} } },
    { type: ['object', 'null'] },
    { $ref: '#/$defs/a', $defs: { a: object({}) } },
  ]) {
    const { grammar, notes } = await plan({ tools: [tool('f', parameters)] });
    assert.deepEqual(notes, [], JSON.stringify(parameters));
    check(grammar);
  }
  for (const parameters of [{ type: 'string' }, [], 'x'])
    await assert.rejects(
      () => plan({ tools: [tool('f', parameters)] }),
      (error) => error instanceof InputError && error.param === 'tools' && error.message.includes("'f'"),
    );
});

test('schemas that are too large together give way where they are not strict', async () => {
  const large = object({ a: { type: 'string', maxLength: 9000 } });
  const tools = Array.from({ length: 6 }, (_, i) => tool(`t${i}`, large));
  const { grammar, notes } = await plan({ tools });
  check(grammar);
  assert.match(notes.join(), /6 tools.*too large/);
  await assert.rejects(
    () => plan({ tools: tools.map((each) => ({ ...each, strict: true })) }),
    (error) => error instanceof InputError && error.code === 'grammar_too_large' && error.param === 'tools',
  );
});

test('hundreds of tools are one grammar', async () => {
  const tools = Array.from({ length: 600 }, (_, i) => tool(`t${i}`, object({ a: { type: 'boolean' } })));
  for (const style of ['hermes', 'mistral', 'llama3', 'plain'] as const)
    check((await plan({ tools }, style)).grammar as Grammar);
});

test('where calls and the form of the answer are both JSON objects, calls get a form of their own', async () => {
  const tools = [tool('f')];
  assert.equal((await plan({ tools }, 'llama3')).parser?.argumentsKey, 'parameters');
  const { parser, conversation } = await plan({ tools, grammar: { kind: 'json_object' } }, 'llama3');
  assert.deepEqual([parser?.openings, parser?.atStart], [['<tool_call>'], true]);
  assert.equal(conversation.tools, undefined);
  assert.match(conversation.messages[0]!.content!, /<tool_call>/);
});

test('tools that are too much together are refused by the limit, also where all were seen before', async () => {
  const choices = (count: number) =>
    object(
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `p${i}`,
          { anyOf: [{ type: 'string' }, { type: 'integer' }] },
        ]),
      ),
    );
  const long = Array.from({ length: 128 }, (_, i) => tool(`t${i}`, choices(200)));
  // One schema that is small as text and large as an automaton, in ever new variants.
  const costly = Array.from({ length: 20 }, (_, i) =>
    tool(`t${i}`, object({ a: { type: 'string', maxLength: 20_000 + i } })),
  );
  for (const [tools, limit] of [
    [long, 262_144],
    [costly, 1_000_000],
    [costly, 1_000_000],
  ] as const) {
    await assert.rejects(
      () => plan({ tools }),
      (error) =>
        error instanceof InputError &&
        error.code === 'tools_too_large' &&
        error.status === 400 &&
        error.param === 'tools' &&
        error.details.limit === limit &&
        error.message.includes(`${limit}`),
    );
  }
  const { notes } = await plan({ tools: long.slice(0, 10) });
  assert.deepEqual(notes, []);
});
