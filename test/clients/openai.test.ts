/** The official `openai` package, unmodified, against a node: chat, completions, embeddings, models. */
import assert from 'node:assert/strict';
import { BadRequestError, NotFoundError, type OpenAI } from 'openai';
import { ask, calm, model, openAiMatrix } from './openai-support.ts';

const { call, calls, client } = openAiMatrix('openai');

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
