/**
 * A second opinion on OpenAI's routes: the types of the official client, which OpenAI generates from its own OpenAPI
 * document, accept every answer, chunk and event. The compiler is the judge: each body becomes a literal type that has
 * to be assignable.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const types = join(root, 'test/clients/node_modules/openai/resources');
const modules = {
  ChatCompletion: 'chat/completions/completions.js',
  ChatCompletionChunk: 'chat/completions/completions.js',
  Completion: 'completions.js',
  CreateEmbeddingResponse: 'embeddings.js',
  Model: 'models.js',
  Response: 'responses/responses.js',
  ResponseStreamEvent: 'responses/responses.js',
  ErrorObject: 'shared.js',
} as const;
type TypeName = keyof typeof modules;

interface Seen {
  readonly type: TypeName;
  readonly value: unknown;
}

let home: TestHome;
let node: Node;
before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

/** What the compiler has against the values; empty when nothing. */
async function complaints(seen: readonly Seen[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-types-'));
  try {
    const imports = Object.entries(modules).map(
      ([name, path]) => `import type { ${name} } from ${JSON.stringify(join(types, path))};`,
    );
    const checks = seen.map(
      ({ type, value }, i) =>
        `declare const value${i}: ${JSON.stringify(value)};\nexport const checked${i}: ${type} = value${i};`,
    );
    const file = join(folder, 'answers.ts');
    await writeFile(file, [...imports, ...checks].join('\n'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    return await new Promise((resolve) => {
      execFile(process.execPath, [tsc, '--ignoreConfig', ...options, file], { cwd: folder }, (error, out) =>
        resolve(error ? out || error.message : ''),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function post(path: string, body: object): Promise<string> {
  const response = await fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ temperature: 0, seed: 1, ...body }),
  });
  return response.text();
}
const events = (text: string): unknown[] =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!));
/**
 * OpenAI's service sends nulls that its document does not have, and so does the node: of a response `usage` before it
 * ends, `user` and the description of its format without one; below, the finish of a completion's chunk before the last.
 */
const nullsOfTheService = new Set(['usage', 'user', 'description']);
/** The client adds `output_text` by itself; nothing of the kind comes over the wire. */
function asClient(response: object): object {
  const text = JSON.stringify({ ...response, output_text: '' });
  return JSON.parse(text, (name, value) =>
    value === null && nullsOfTheService.has(name) ? undefined : value,
  );
}
interface Chunk {
  readonly choices: readonly { readonly finish_reason: string | null }[];
}
const finished = (chunk: Chunk) => ({
  ...chunk,
  choices: chunk.choices.map((choice) => ({ ...choice, finish_reason: choice.finish_reason ?? 'stop' })),
});

const messages = [{ role: 'user', content: 'Who are you?' }];
const parameters = {
  type: 'object',
  properties: { city: { enum: ['Rome', 'Paris'] } },
  required: ['city'],
  additionalProperties: false,
};
const chatTools = { tools: [{ type: 'function', function: { name: 'weather', parameters } }] };
const responseTools = { tools: [{ type: 'function', name: 'weather', parameters, strict: true }] };
const extras = { kith: { receipt: true } };

async function answers(): Promise<Seen[]> {
  const seen: Seen[] = [];
  const whole = async (type: TypeName, path: string, body: object) => {
    const value = JSON.parse(await post(path, body)) as { error?: unknown };
    assert.equal(value.error ?? null, null, JSON.stringify(value));
    seen.push({ type, value: type === 'Response' ? asClient(value) : value });
  };
  const stream = async (type: TypeName, path: string, body: object) => {
    const values = events(await post(path, { ...body, stream: true })) as { response?: object }[];
    assert.ok(values.length > 3, path);
    for (const value of values) {
      if (value.response) seen.push({ type, value: { ...value, response: asClient(value.response) } });
      else seen.push({ type, value: type === 'Completion' ? finished(value as Chunk) : value });
    }
  };
  const required = { tool_choice: 'required', parallel_tool_calls: false };
  const chats = [
    { messages, max_tokens: 6, logprobs: true, top_logprobs: 2, n: 2, ...extras },
    { messages, max_tokens: 60, ...chatTools, ...required },
    { messages, max_tokens: 60, response_format: { type: 'json_object' } },
  ];
  for (const body of chats) {
    await whole('ChatCompletion', '/v1/chat/completions', body);
    await stream('ChatCompletionChunk', '/v1/chat/completions', {
      ...body,
      stream_options: { include_usage: true },
    });
  }
  const completion = { prompt: 'One two', max_tokens: 4, logprobs: 2, logit_bias: { 2: -100 } };
  await whole('Completion', '/v1/completions', completion);
  await stream('Completion', '/v1/completions', completion);
  await whole('CreateEmbeddingResponse', '/v1/embeddings', { input: ['A cat.', 'A dog.'] });
  const responses = [
    { input: 'Who are you?', max_output_tokens: 16 },
    { input: 'Weather in Rome?', max_output_tokens: 60, ...responseTools, ...required },
    {
      input: messages,
      max_output_tokens: 60,
      text: { format: { type: 'json_schema', name: 'place', schema: parameters } },
    },
  ];
  for (const body of responses) {
    await whole('Response', '/v1/responses', body);
    await stream('ResponseStreamEvent', '/v1/responses', body);
  }
  const { data } = (await (await fetch(`${node.url}/v1/models`)).json()) as { data: unknown[] };
  for (const value of data) seen.push({ type: 'Model', value });
  for (const body of [{ messages, temperature: 9 }, { messages, model: 'nobody' }, {}]) {
    const { error } = JSON.parse(await post('/v1/chat/completions', body)) as { error: unknown };
    seen.push({ type: 'ErrorObject', value: error });
  }
  return seen;
}

test('the types of the official client accept every answer, chunk and event', async () => {
  const seen = await answers();
  for (const type of Object.keys(modules)) {
    assert.ok(
      seen.some((each) => each.type === type),
      `nothing of type ${type} was seen`,
    );
  }
  assert.equal(await complaints(seen), '');
});

test('the types notice an answer that is not one', async () => {
  const model = { id: 'm', object: 'model', created: 1, owned_by: 'kith' };
  assert.equal(await complaints([{ type: 'Model', value: model }]), '');
  const found = await complaints([{ type: 'Model', value: { ...model, object: 'modell' } }]);
  assert.match(found, /"modell"/);
});
