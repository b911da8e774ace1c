/** The OpenAPI document: it names every route, its schemas are sound, and answers that differ from it are noticed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Node } from '../../src/node/index.ts';
import { parseMessages } from '../../src/server/anthropic/request.ts';
import { parseEmbed } from '../../src/server/nsllm/embed.ts';
import { parseGenerate } from '../../src/server/nsllm/generate.ts';
import { parseChat } from '../../src/server/openai/chat.ts';
import { parseCompletion } from '../../src/server/openai/completions.ts';
import { parseEmbeddings } from '../../src/server/openai/embeddings.ts';
import { type OpenApiDocument, openApiDocument } from '../../src/server/openapi/document.ts';
import { allRoutes } from '../../src/server/routes.ts';
import type { ServerContext } from '../../src/server/types.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { createValidator, type SeenAnswer } from './validate.ts';
import { checked, takeFaults } from './watch.ts';

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

const document = openApiDocument('1.2.3');
const validator = createValidator(document);

test('the node serves the document', async () => {
  const response = await fetch(`${node.url}/openapi.json`);
  assert.equal(response.status, 200);
  const served = (await response.json()) as OpenApiDocument;
  assert.deepEqual(served.paths, JSON.parse(JSON.stringify(document.paths)));
});

test('every route is documented with its scope, and every documented route is there', () => {
  // Handlers are made, not called: what they close over is not looked at.
  const context = {
    limits: {},
    clock: {},
    token: 'token',
    closing: new AbortController().signal,
    observability: {},
    observers: [],
  };
  const routes = allRoutes(context as unknown as ServerContext).map(({ method, path, scope }) => {
    // Which files lie at the root is the build's affair.
    const named = /^\/[\w-]+\.(?!json$)\w+$/.test(path) ? '/:file' : path;
    return `${method} ${named.replace(/\/[:*]([^/]+)/g, '/{$1}')} ${scope}`;
  });
  const unique = [...new Set([...routes, 'GET /{file} read'])];
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => `${method.toUpperCase()} ${path} ${operation['x-scope']}`,
    ),
  );
  assert.deepEqual(unique.sort(), documented.sort());
});

test('every schema of the document is a JSON Schema, every reference leads somewhere, every name is used', () => {
  const ajv = new Ajv2020({ strict: false });
  const text = JSON.stringify(document);
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.ok(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`);
    assert.ok(validator.compile(`/components/schemas/${name}`), name);
    assert.ok(text.includes(`"#/components/schemas/${name}"`), `${name} is not used`);
  }
  for (const [, section, name] of text.matchAll(/"#\/components\/(\w+)\/([\w.-]+)"/g)) {
    assert.ok(
      Object.hasOwn(document.components[section as 'schemas'], name!),
      `${section}/${name} is not there`,
    );
  }
  const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('a body fits its documented schema exactly when the route takes it', () => {
  const { signal } = new AbortController();
  const say = [{ role: 'user', content: 'Hi' }];
  const chat = (body: unknown) => parseChat(body, signal, () => 1);
  const completion = (body: unknown) => parseCompletion(body, signal, () => 1);
  const cases: [string, (body: unknown) => unknown, unknown[]][] = [
    [
      '/v1/chat/completions',
      chat,
      [
        { messages: say },
        { messages: [] },
        { messages: 'Hi' },
        {},
        { messages: [{ role: 'wizard', content: 'Hi' }] },
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
        { messages: [{ role: 'assistant', content: null }, ...say] },
        { messages: say, temperature: 2, top_p: null, seed: -5, stop: ['a', 'b'], unknown: 1 },
        { messages: say, temperature: 3 },
        { messages: say, stop: [] },
        { messages: say, stop: '' },
        { messages: say, logit_bias: { 5: 1 } },
        { messages: say, logit_bias: { 5: 101 } },
        { messages: say, logit_bias: { five: 1 } },
        { messages: say, n: 17 },
        { messages: say, kith: { overflow: 'slide', keep_tokens: 3 } },
        { messages: say, kith: { overflows: 'slide' } },
        { messages: say, response_format: { type: 'json_object' } },
        { messages: say, response_format: { type: 'json_schema' } },
        { messages: say, response_format: { type: 'xml' } },
        { messages: say, stream: 'yes' },
      ],
    ],
    [
      '/v1/completions',
      completion,
      [
        { prompt: 'Hi' },
        { prompt: '' },
        { prompt: ['a', 'b'] },
        { prompt: [1, 2] },
        { prompt: [[1], [2]] },
        { prompt: [[]] },
        { prompt: [] },
        { prompt: [-1] },
        {},
        { prompt: 'Hi', max_tokens: 0 },
        { prompt: 'Hi', logprobs: 3 },
      ],
    ],
    [
      '/v1/embeddings',
      parseEmbeddings,
      [
        { input: 'Hi' },
        { input: '' },
        { input: ['a', ''] },
        { input: [[1, 2]], encoding_format: 'base64' },
        { input: 'Hi', encoding_format: 'hex' },
        { input: 'Hi', dimensions: 0 },
        {},
      ],
    ],
    [
      '/v1/messages',
      (body: unknown) => parseMessages(body, signal, () => 1),
      [
        { max_tokens: 1, messages: say },
        { messages: say },
        { max_tokens: 0, messages: say },
        { max_tokens: 1, messages: [{ role: 'wizard', content: 'Hi' }] },
        { max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
        { max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'image' }] }] },
        { max_tokens: 1, messages: say, system: [{ type: 'text', text: 'Be brief.' }] },
        { max_tokens: 1, messages: say, tools: [{ name: 'look', input_schema: {} }] },
        { max_tokens: 1, messages: say, tools: [{ name: 'look' }] },
        { max_tokens: 1, messages: say, tools: [{ type: 'bash_20250124', name: 'bash' }] },
        { max_tokens: 1, messages: say, tool_choice: { type: 'auto' } },
        { max_tokens: 1, messages: say, tool_choice: { type: 'some' } },
        { max_tokens: 1, messages: say, temperature: 1.5 },
        { max_tokens: 1, messages: say, thinking: { type: 'adaptive' } },
      ],
    ],
    [
      '/generate',
      (body: unknown) => parseGenerate(body, signal, () => 1),
      [{ prompt: 'Hi' }, { text: 'Hi', raw: true }, { prompt: 5 }, { prompt: 'Hi', max_tokens: 0 }],
    ],
    ['/embed', parseEmbed, [{ text: 'Hi' }, { input: 'Hi' }, { text: '' }, { text: ['Hi'] }]],
  ];
  let taken = 0;
  for (const [path, parse, bodies] of cases) {
    const at = `/paths/${path.replaceAll('/', '~1')}/post/requestBody/content/application~1json/schema`;
    const validate = validator.compile(at);
    for (const body of bodies) {
      let takes = true;
      try {
        parse(body);
      } catch {
        takes = false;
      }
      if (takes) taken++;
      assert.equal(validate(body), takes, `${path} ${JSON.stringify(body)}`);
    }
  }
  assert.ok(taken > 15);
});

test('an answer that differs from the document is noticed, and where', () => {
  const model = {
    id: 'm',
    object: 'model',
    created: 1,
    owned_by: 'kith',
    kith: { task: 'chat', state: 'ready', context: null },
  };
  const seen = (change: Partial<SeenAnswer>): SeenAnswer => ({
    method: 'GET',
    target: '/v1/models/a/b?x=1',
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'req-1' },
    body: JSON.stringify(model),
    complete: true,
    ...change,
  });
  assert.deepEqual(validator.check(seen({})), []);
  const faulty: [Partial<SeenAnswer>, RegExp][] = [
    [{ body: JSON.stringify({ ...model, created: 1.5 }) }, /^\/created must be integer .* it is 1\.5$/],
    [{ body: JSON.stringify({ ...model, extra: 1 }) }, /additional properties "extra"/],
    [
      { body: JSON.stringify({ ...model, kith: { ...model.kith, state: 'lost' } }) },
      /^\/kith\/state .*"lost"$/,
    ],
    [{ body: '{' }, /is not JSON/],
    [{ headers: { 'content-type': 'application/json' } }, /x-request-id is missing/],
    [
      { headers: { 'content-type': 'text/html', 'x-request-id': 'req-1' } },
      /content type 'text\/html' is not documented/,
    ],
    [{ headers: { ...seen({}).headers, 'x-kith-secret': '1' } }, /header x-kith-secret is not documented/],
    [{ status: 418 }, /status 418 is not documented/],
    [{ target: '/v2/models' }, /not documented/],
    [{ status: 404 }, /required property/],
    [{ method: 'HEAD' }, /has a body/],
  ];
  for (const [change, fault] of faulty) {
    assert.match(validator.check(seen(change)).join('\n'), fault, JSON.stringify(change));
  }
});

test('an event that differs from the document is noticed, and so is a stream that ends wrongly', () => {
  const chunk = {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    system_fingerprint: 'kith-1',
    choices: [{ index: 0, delta: { content: 'Hi' }, logprobs: null, finish_reason: null }],
  };
  const error = {
    error: { message: 'Lost.', type: 'server_error', param: null, code: 'engine_lost' },
  };
  const check = (body: string, complete = true) =>
    validator.check({
      method: 'POST',
      target: '/v1/chat/completions',
      status: 200,
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req-1' },
      body,
      complete,
    });
  const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
  const done = 'data: [DONE]\n\n';
  assert.deepEqual(check(`: ping\n\n${event(chunk)}${done}`), []);
  assert.deepEqual(check(event(chunk) + event(error)), []);
  assert.deepEqual(check(`${event(chunk)}data: {"id`, false), []);
  const odd = { ...chunk, choices: [{ ...chunk.choices[0], delta: { content: 5 } }] };
  for (const [body, fault] of [
    [event(odd) + done, /event 0: \/choices\/0\/delta\/content .*it is 5/],
    [event(chunk), /ends without \[DONE\]/],
    [event(chunk) + event(error) + done, /ends well after an error/],
    [done + event(chunk) + done, /event 1: comes after the end/],
    [`${event(chunk)}data: {"id`, /ends inside an event/],
    [`event: odd\n${event(chunk)}id: 3\n\n${done}`, /has the line "id: 3"/],
  ] as const) {
    assert.match(check(body).join('\n'), fault, body);
  }
});

test('answers of a node in this process are held to the document, whoever asks', async () => {
  const before = checked.get(404) ?? 0;
  await (await fetch(`${node.url}/nowhere`)).text();
  assert.equal(checked.get(404), before + 1);
  assert.deepEqual(takeFaults(), []);
});
