/** The official `openai` package, unmodified, against a node. */
import assert from 'node:assert/strict';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { zodFunction, zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { systemClock, systemRandom } from '../../src/base/index.ts';
import { openKeyStore } from '../../src/server/index.ts';
import { clientMatrix, endless } from './support.ts';

const matrix = clientMatrix('openai', { 'engine.maxActive': 2, 'engine.maxQueue': 1 });
const { call, calls } = matrix;
const client = (options: object = {}) =>
  new OpenAI({ baseURL: `${matrix.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
const model = 'tiny';
const ask = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];
const calm = { model, temperature: 0, seed: 1 };

const weather = {
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
const clock = {
  type: 'function' as const,
  function: {
    name: 'get_time',
    parameters: {
      type: 'object',
      properties: { zone: { enum: ['UTC', 'CET'] } },
      required: ['zone'],
      additionalProperties: false,
    },
  },
};
function checkWeather(text: string): void {
  const { city, unit, ...rest } = JSON.parse(text) as Record<string, string>;
  assert.ok(typeof city === 'string' && city.length <= 12, text);
  assert.ok(unit === 'C' || unit === 'F', text);
  assert.deepEqual(rest, {});
}

call('chat answers with usage, a fingerprint and the id of the request', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    messages: ask('Who are you?'),
    max_tokens: 8,
  });
  assert.ok(answer.choices[0]!.message.content!.length > 0);
  assert.equal(answer.choices[0]!.finish_reason, 'length');
  assert.equal(answer.usage!.completion_tokens, 8);
  assert.equal(answer.usage!.total_tokens, answer.usage!.prompt_tokens + answer.usage!.completion_tokens);
  assert.match(answer.system_fingerprint!, /^kith-/);
  assert.match(answer._request_id!, /^req-/);
});

call('chat takes system, developer, assistant and text parts', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    max_completion_tokens: 4,
    messages: [
      { role: 'system', content: 'Be short.' },
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello.' }] },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: 'And now?' },
    ],
  });
  assert.ok(answer.usage!.prompt_tokens > 20);
});

call('chat ignores fields for the provider such as user, metadata, store and service_tier', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    messages: ask('Hi'),
    max_tokens: 2,
    user: 'u',
    metadata: { a: 'b' },
    store: false,
    service_tier: 'auto',
    parallel_tool_calls: true,
  });
  assert.equal(answer.object, 'chat.completion');
});

calls(2, 'a streamed chat says what the whole one says, with usage in the last chunk', async () => {
  const body = { ...calm, messages: ask('Who are you?'), max_tokens: 12 };
  const whole = await client().chat.completions.create(body);
  const stream = await client().chat.completions.create({
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage: OpenAI.CompletionUsage | null | undefined;
  const finishes: (string | null)[] = [];
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
    usage = chunk.usage;
  }
  assert.equal(text, whole.choices[0]!.message.content);
  assert.equal(usage!.completion_tokens, whole.usage!.completion_tokens);
  assert.deepEqual(finishes, [whole.choices[0]!.finish_reason]);
});

call('the stream helper collects the answer', async () => {
  const runner = client().chat.completions.stream({ ...calm, messages: ask('Hello'), max_tokens: 6 });
  let deltas = '';
  runner.on('content', (delta) => {
    deltas += delta;
  });
  const whole = await runner.finalChatCompletion();
  assert.equal(whole.choices[0]!.message.content, deltas);
  assert.ok(deltas.length > 0);
});

calls(3, 'n makes as many choices, alike for a seed', async () => {
  const body = { model, messages: ask('Tell me.'), n: 2, temperature: 1.3, seed: 7, max_tokens: 8 };
  await client().chat.completions.create(body);
  const [one, two] = [
    await client().chat.completions.create(body),
    await client().chat.completions.create(body),
  ];
  assert.deepEqual(
    one.choices.map(({ index }) => index),
    [0, 1],
  );
  assert.deepEqual(
    one.choices.map(({ message }) => message.content),
    two.choices.map(({ message }) => message.content),
  );
});

calls(2, 'logprobs come with alternatives, whole and streamed', async () => {
  const body = {
    ...calm,
    messages: ask('Who are you?'),
    max_tokens: 3,
    logprobs: true,
    top_logprobs: 2,
  };
  const { choices } = await client().chat.completions.create(body);
  const { content } = choices[0]!.logprobs!;
  assert.equal(content!.length, 3);
  assert.equal(content![0]!.top_logprobs.length, 2);
  assert.ok(content![0]!.logprob <= 0);
  const tokens: string[] = [];
  for await (const chunk of await client().chat.completions.create({ ...body, stream: true })) {
    for (const each of chunk.choices[0]?.logprobs?.content ?? []) tokens.push(each.token);
  }
  assert.deepEqual(
    tokens,
    content!.map(({ token }) => token),
  );
});

calls(2, 'stop strings end an answer before them', async () => {
  const body = { ...calm, messages: ask('Who are you?'), max_tokens: 16 };
  const free = (await client().chat.completions.create(body)).choices[0]!.message.content!;
  const stop = free.slice(5, 8);
  const { choices } = await client().chat.completions.create({ ...body, stop: [stop] });
  assert.equal(choices[0]!.message.content, free.slice(0, free.indexOf(stop)));
  assert.equal(choices[0]!.finish_reason, 'stop');
});

call('a required tool is called with arguments that fit its schema', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    messages: ask('Weather in Rome?'),
    tools: [weather],
    tool_choice: 'required',
    parallel_tool_calls: false,
    max_tokens: 120,
  });
  const { message, finish_reason } = answer.choices[0]!;
  assert.equal(finish_reason, 'tool_calls');
  const made = message.tool_calls![0]!;
  assert.ok(made.type === 'function' && made.function.name === 'get_weather');
  checkWeather(made.function.arguments);
});

call('several calls in one answer have ids of their own and whole arguments', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    messages: ask('Weather in Rome and in Paris?'),
    tools: [weather],
    tool_choice: 'required',
    max_tokens: 150,
  });
  const { message, finish_reason } = answer.choices[0]!;
  const made = message.tool_calls!.flatMap((each) => (each.type === 'function' ? [each] : []));
  // The small model calls until it is stopped: only the last call may be cut.
  const whole = finish_reason === 'tool_calls' ? made : made.slice(0, -1);
  assert.ok(whole.length >= 2);
  for (const each of whole) checkWeather(each.function.arguments);
  assert.equal(new Set(made.map(({ id }) => id)).size, made.length);
});

calls(2, 'a named tool is called at any temperature', async () => {
  for (const seed of [1, 2]) {
    const answer = await client().chat.completions.create({
      model,
      seed,
      temperature: 1.2,
      messages: ask('Hello.'),
      tools: [weather, clock],
      tool_choice: { type: 'function', function: { name: 'get_time' } },
      max_tokens: 120,
    });
    const several = answer.choices[0]!.message.tool_calls!;
    assert.equal(several.length, 1);
    const made = several[0]!;
    assert.ok(made.type === 'function' && made.function.name === 'get_time');
    assert.ok(['UTC', 'CET'].includes(JSON.parse(made.function.arguments).zone));
  }
});

call('a streamed call comes as an id and a name, then pieces of its arguments', async () => {
  const stream = await client().chat.completions.create({
    ...calm,
    messages: ask('Weather in Rome?'),
    tools: [weather],
    tool_choice: 'required',
    parallel_tool_calls: false,
    max_tokens: 120,
    stream: true,
  });
  const calls: { id: string; name: string; arguments: string }[] = [];
  let finish: string | null = null;
  for await (const chunk of stream) {
    for (const delta of chunk.choices[0]?.delta.tool_calls ?? []) {
      if (delta.id !== undefined) {
        assert.equal(delta.index, calls.length);
        assert.equal(delta.type, 'function');
        calls.push({ id: delta.id, name: delta.function!.name!, arguments: '' });
      }
      calls[delta.index]!.arguments += delta.function?.arguments ?? '';
    }
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  assert.equal(finish, 'tool_calls');
  assert.equal(calls.length, 1);
  assert.equal(calls[0]!.name, 'get_weather');
  checkWeather(calls[0]!.arguments);
});

calls(2, 'the answer to a call goes back into the conversation', async () => {
  const tools = [weather];
  const messages: OpenAI.ChatCompletionMessageParam[] = ask('Weather in Rome?');
  const first = await client().chat.completions.create({
    ...calm,
    messages,
    tools,
    tool_choice: 'required',
    parallel_tool_calls: false,
    max_tokens: 120,
  });
  const { message } = first.choices[0]!;
  messages.push(message, {
    role: 'tool',
    tool_call_id: message.tool_calls![0]!.id,
    content: '{"sky":"clear","degrees":21}',
  });
  const second = await client().chat.completions.create({
    ...calm,
    messages,
    tools,
    tool_choice: 'none',
    max_tokens: 8,
  });
  assert.ok(second.choices[0]!.message.content!.length > 0);
});

call('the tool runner calls the function and goes on', async () => {
  const cities: string[] = [];
  const runner = client().chat.completions.runTools(
    {
      ...calm,
      messages: ask('Weather in Rome?'),
      max_tokens: 80,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ city }: { city: string }) => {
              cities.push(city);
              return 'clear';
            },
          },
        },
      ],
    },
    { maxChatCompletions: 1 },
  );
  await runner.done();
  assert.equal(cities.length, 1);
});

call('parse gives an object of the zod schema', async () => {
  const Person = z.object({ name: z.string().max(10), age: z.number().int().min(0).max(120) });
  const answer = await client().chat.completions.parse({
    model,
    temperature: 1,
    seed: 3,
    messages: ask('Invent a person.'),
    response_format: zodResponseFormat(Person, 'person'),
    max_tokens: 120,
  });
  assert.ok(Person.safeParse(answer.choices[0]!.message.parsed).success);
});

call('parse gives the arguments of a zod function', async () => {
  const Order = z.object({ item: z.enum(['tea', 'milk']), amount: z.number().int().min(1).max(9) });
  const answer = await client().chat.completions.parse({
    ...calm,
    messages: ask('Two teas.'),
    tools: [zodFunction({ name: 'order', parameters: Order })],
    tool_choice: 'required',
    parallel_tool_calls: false,
    max_tokens: 120,
  });
  const made = answer.choices[0]!.message.tool_calls![0]!;
  assert.ok(made.type === 'function' && Order.safeParse(made.function.parsed_arguments).success);
});

call('json_object gives an object', async () => {
  const answer = await client().chat.completions.create({
    ...calm,
    messages: ask('An object.'),
    response_format: { type: 'json_object' },
    max_tokens: 200,
  });
  const { message, finish_reason } = answer.choices[0]!;
  if (finish_reason === 'stop') assert.equal(typeof JSON.parse(message.content!), 'object');
  else assert.ok(message.content!.startsWith('{'));
});

call('breaking out of a stream ends the sequence', async () => {
  const stream = await client().chat.completions.create({
    model,
    messages: ask('Go on.'),
    stream: true,
    ...endless,
  });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  await matrix.idle();
});

call('aborting a whole answer by its signal ends the sequence', async () => {
  const controller = new AbortController();
  const answer = client().chat.completions.create(
    { model, messages: ask('Go on.'), ...endless },
    { signal: controller.signal },
  );
  answer.catch(() => {});
  for (;;) {
    const { models } = await matrix.node.engineStatus();
    if (models.some(({ active }) => active > 0)) break;
  }
  controller.abort();
  await assert.rejects(answer, APIUserAbortError);
  await matrix.idle();
});

call('a wrong field is a BadRequestError that names it', async () => {
  await assert.rejects(
    client().chat.completions.create({ model, messages: ask('Hi'), temperature: 9 }),
    (error) => error instanceof BadRequestError && error.param === 'temperature' && error.type !== undefined,
  );
});

call('an image is a BadRequestError that names the part', async () => {
  const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } };
  await assert.rejects(
    client().chat.completions.create({ model, messages: [{ role: 'user', content: [image] }] }),
    (error) =>
      error instanceof BadRequestError &&
      error.code === 'unsupported_parameter' &&
      error.param === 'messages[0].content[0]',
  );
});

call('a prompt beyond the context is context_length_exceeded', async () => {
  await assert.rejects(
    client().chat.completions.create({ model, messages: ask('word '.repeat(50_000)) }),
    (error) => error instanceof BadRequestError && error.code === 'context_length_exceeded',
  );
});

call('an unknown model is a NotFoundError', async () => {
  await assert.rejects(
    client().chat.completions.create({ model: 'nobody', messages: ask('Hi') }),
    (error) => error instanceof NotFoundError && error.code === 'model_not_found',
  );
});

call('an unknown route is a NotFoundError', async () => {
  await assert.rejects(client().moderations.create({ input: 'x' }), NotFoundError);
});

calls(5, 'over the queue the client gets a RateLimitError, and retries until there is a place', async () => {
  const held = [new AbortController(), new AbortController(), new AbortController()];
  const stream = (controller: AbortController) =>
    client().chat.completions.create(
      { model, messages: ask('Go on.'), stream: true, ...endless },
      { signal: controller.signal },
    );
  const running = [await stream(held[0]!), await stream(held[1]!)];
  const waiting = stream(held[2]!);
  waiting.catch(() => {});
  for (;;) {
    const { models } = await matrix.node.engineStatus();
    if (models.some((each) => each.queued === 1)) break;
  }
  const body = { ...calm, messages: ask('Hi'), max_tokens: 2 };
  await assert.rejects(
    client().chat.completions.create(body),
    (error) =>
      error instanceof RateLimitError &&
      error.code === 'rate_limit_exceeded' &&
      Number(error.headers.get('retry-after')) > 0,
  );
  let tries = 0;
  const patient = client({
    maxRetries: 3,
    fetch: async (...args: Parameters<typeof fetch>) => {
      tries++;
      const response = await fetch(...args);
      // The place becomes free while the client waits as long as it was told to.
      if (tries === 1) for (const controller of held) controller.abort();
      return response;
    },
  });
  const answer = await patient.chat.completions.create(body);
  assert.equal(answer.usage!.completion_tokens, 2);
  assert.ok(tries >= 2);
  assert.equal(running.length, 2);
  await matrix.idle();
});

calls(4, 'keys that are unknown, too narrow or used up are errors of their own classes', async () => {
  using keys = openKeyStore(matrix.home, { clock: systemClock, random: systemRandom });
  const narrow = { name: 'k', expiresAt: null, tokensPerMinute: null, requestsPerMinute: 1 };
  const { text } = keys.create({ ...narrow, scopes: ['generate'] });
  const body = { ...calm, messages: ask('Hi'), max_tokens: 1 };
  await assert.rejects(
    client({ apiKey: `${text.slice(0, -1)}!` }).chat.completions.create(body),
    (error) => error instanceof AuthenticationError && error.code === 'invalid_api_key',
  );
  const keyed = client({ apiKey: text });
  await assert.rejects(
    keyed.embeddings.create({ model: 'tiny-embed', input: 'A cat.' }),
    (error) => error instanceof PermissionDeniedError && error.code === 'scope_missing',
  );
  assert.equal((await keyed.chat.completions.create(body)).usage!.completion_tokens, 1);
  await assert.rejects(keyed.chat.completions.create(body), RateLimitError);
});

call('embeddings come as numbers although the client asks for base64', async () => {
  const { data, usage } = await client().embeddings.create({
    model: 'tiny-embed',
    input: ['A cat.', 'A dog.'],
  });
  assert.equal(data.length, 2);
  assert.equal(data[0]!.embedding.length, 384);
  const length = Math.hypot(...data[0]!.embedding);
  assert.ok(Math.abs(length - 1) < 1e-4);
  assert.ok(usage.prompt_tokens > 0);
});

calls(3, 'embeddings as floats and from token ids are the same', async () => {
  const create = (extra: object) =>
    client().embeddings.create({ model: 'tiny-embed', input: 'A cat.', ...extra });
  const [plain, floats, tokens] = [
    await create({}),
    await create({ encoding_format: 'float' }),
    await create({ input: [[101, 1037, 4937, 1012, 102]] }),
  ];
  assert.deepEqual(floats.data[0]!.embedding, [...plain.data[0]!.embedding]);
  assert.equal(tokens.data[0]!.embedding.length, 384);
});

call('other dimensions than the model has are a BadRequestError', async () => {
  await assert.rejects(
    client().embeddings.create({ model: 'tiny-embed', input: 'A cat.', dimensions: 128 }),
    (error) => error instanceof BadRequestError && error.param === 'dimensions',
  );
});

call('a chat model makes no embeddings, and the error says which route it is for', async () => {
  await assert.rejects(
    client().embeddings.create({ model: 'tiny', input: 'A cat.' }),
    (error) => error instanceof BadRequestError && error.code === 'wrong_model_task',
  );
});

calls(2, 'completions continue a text, whole and streamed', async () => {
  const body = { model, prompt: 'One two three', max_tokens: 6, temperature: 0, logit_bias: { 2: -100 } };
  const whole = await client().completions.create({ ...body, logprobs: 1 });
  let text = '';
  for await (const chunk of await client().completions.create({ ...body, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal(text, whole.choices[0]!.text);
  assert.equal(whole.choices[0]!.logprobs!.tokens!.length, 6);
});

calls(3, 'models are listed and described', async () => {
  const ids: string[] = [];
  for await (const each of client().models.list()) ids.push(each.id);
  assert.ok(ids.includes('tiny') && ids.includes('tiny-embed'));
  const one = await client().models.retrieve('tiny');
  assert.deepEqual([one.id, one.object], ['tiny', 'model']);
  await assert.rejects(client().models.retrieve('nobody'), NotFoundError);
});

call('responses answer', async () => {
  const answer = await client().responses.create({
    model,
    input: 'Who are you?',
    temperature: 0,
    max_output_tokens: 16,
    store: false,
  });
  assert.ok(answer.output_text.length > 0);
  assert.equal(answer.usage!.output_tokens, 16);
  assert.equal(answer.status, 'incomplete');
  assert.equal(answer.incomplete_details!.reason, 'max_output_tokens');
});

call('responses stream their text in typed events', async () => {
  const stream = await client().responses.create({
    model,
    input: [{ role: 'user', content: 'Who are you?' }],
    temperature: 0,
    max_output_tokens: 16,
    stream: true,
  });
  let text = '';
  const types: string[] = [];
  let last = -1;
  for await (const event of stream) {
    types.push(event.type);
    assert.ok(event.sequence_number > last);
    last = event.sequence_number;
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type === 'response.output_text.done') assert.equal(event.text, text);
  }
  assert.equal(types[0], 'response.created');
  assert.ok(['response.completed', 'response.incomplete'].includes(types.at(-1)!));
  assert.ok(text.length > 0);
});

call('the stream helper of responses collects the answer', async () => {
  const stream = client().responses.stream({
    model,
    input: 'Hello.',
    temperature: 0,
    max_output_tokens: 16,
  });
  const final = await stream.finalResponse();
  assert.ok(final.output_text.length > 0);
});

const responseTool = {
  type: 'function' as const,
  name: 'get_weather',
  strict: true,
  parameters: weather.function.parameters,
};

calls(2, 'responses call tools and take their results', async () => {
  const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'Weather in Rome?' }];
  const body = { model, temperature: 0, tools: [responseTool], max_output_tokens: 120, store: false };
  const first = await client().responses.create({
    ...body,
    input,
    tool_choice: 'required',
    parallel_tool_calls: false,
  });
  const made = first.output.find((item) => item.type === 'function_call')!;
  assert.equal(made.name, 'get_weather');
  checkWeather(made.arguments);
  input.push(made, { type: 'function_call_output', call_id: made.call_id, output: 'clear' });
  const second = await client().responses.create({
    ...body,
    input,
    tool_choice: 'none',
    max_output_tokens: 16,
  });
  assert.ok(second.output_text.length > 0);
});

call('responses stream the arguments of a call', async () => {
  const stream = await client().responses.create({
    model,
    temperature: 0,
    input: 'Weather in Rome?',
    tools: [responseTool],
    tool_choice: { type: 'function', name: 'get_weather' },
    max_output_tokens: 120,
    stream: true,
  });
  let text = '';
  let done = '';
  for await (const event of stream) {
    if (event.type === 'response.function_call_arguments.delta') text += event.delta;
    if (event.type === 'response.function_call_arguments.done') done = event.arguments;
  }
  assert.equal(text, done);
  checkWeather(done);
});

call('responses parse a zod schema', async () => {
  const Color = z.object({ color: z.enum(['red', 'blue']) });
  const answer = await client().responses.parse({
    model,
    temperature: 1,
    input: 'A color.',
    text: { format: zodTextFormat(Color, 'color') },
    max_output_tokens: 60,
  });
  assert.ok(Color.safeParse(answer.output_parsed).success);
});

call('a response that was never kept is a clear error', async () => {
  await assert.rejects(
    client().responses.create({ model, input: 'Hi', previous_response_id: 'resp_1' }),
    (error) => error instanceof APIError && error.param === 'previous_response_id',
  );
});
