/** The `ollama` package, unmodified, against a node. */
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { clientMatrix } from './support.ts';

const matrix = clientMatrix('ollama');
const { call, calls } = matrix;
const client = () => new Ollama({ host: matrix.url });
const model = 'tiny';
const messages = [{ role: 'user', content: 'Who are you?' }];
const calm = { temperature: 0, seed: 1, num_predict: 10 };
/** High enough not to end by itself before it is stopped. */
const long = { temperature: 1.5, num_predict: 2000 };
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Rome', 'Paris'] } },
      required: ['city'],
    },
  },
};

calls(2, 'chat answers, and its stream says the same', async () => {
  const whole = await client().chat({ model, messages, options: calm });
  assert.ok(whole.message.content.length > 0);
  assert.deepEqual([whole.done, whole.message.role], [true, 'assistant']);
  assert.ok(whole.eval_count > 0 && whole.prompt_eval_count > 0 && whole.total_duration > 0);
  let text = '';
  let done = 0;
  for await (const part of await client().chat({ model, messages, options: calm, stream: true })) {
    text += part.message.content;
    if (part.done) {
      done++;
      assert.equal(part.eval_count, whole.eval_count);
    }
  }
  assert.equal(text, whole.message.content);
  assert.equal(done, 1);
});

call('chat ends at num_predict and says so', async () => {
  const { done_reason, eval_count } = await client().chat({
    model,
    messages,
    options: { ...calm, num_predict: 3 },
  });
  assert.deepEqual([done_reason, eval_count], ['length', 3]);
});

calls(2, 'chat stops before a stop text', async () => {
  const free = await client().chat({ model, messages, options: calm });
  const stop = free.message.content.slice(4, 7);
  const { message } = await client().chat({ model, messages, options: { ...calm, stop: [stop] } });
  assert.equal(message.content, free.message.content.slice(0, free.message.content.indexOf(stop)));
});

call('chat is held to a JSON schema', async () => {
  const format = {
    type: 'object',
    properties: { color: { enum: ['red', 'blue'] }, size: { type: 'integer', minimum: 1, maximum: 9 } },
    required: ['color', 'size'],
    additionalProperties: false,
  };
  const { message } = await client().chat({
    model,
    messages,
    format,
    options: { temperature: 1.2, seed: 5, num_predict: 100 },
  });
  const { color, size } = JSON.parse(message.content) as { color: string; size: number };
  assert.ok(['red', 'blue'].includes(color) && size >= 1 && size <= 9);
});

call('chat is held to JSON', async () => {
  const { message, done_reason } = await client().chat({
    model,
    messages,
    format: 'json',
    options: { ...calm, num_predict: 150 },
  });
  if (done_reason === 'stop') assert.equal(typeof JSON.parse(message.content), 'object');
  else assert.ok(message.content.startsWith('{'));
});

calls(2, 'chat offers tools and takes their results', async () => {
  const asked = [{ role: 'user', content: 'Weather in Rome?' }];
  const first = await client().chat({
    model,
    messages: asked,
    tools: [weather],
    options: { ...calm, num_predict: 60 },
  });
  assert.equal(first.done, true);
  // Ollama has no way to require a call: the model may have written text instead.
  const made = first.message.tool_calls ?? [
    { function: { name: 'get_weather', arguments: { city: 'Rome' } } },
  ];
  for (const each of made) {
    assert.equal(each.function.name, 'get_weather');
    assert.ok(['Rome', 'Paris'].includes(each.function.arguments.city));
  }
  const second = await client().chat({
    model,
    messages: [
      ...asked,
      { role: 'assistant', content: '', tool_calls: made },
      { role: 'tool', content: '21 degrees', tool_name: 'get_weather' },
    ],
    tools: [weather],
    options: { ...calm, num_predict: 6 },
  });
  assert.ok(second.prompt_eval_count > 0);
});

calls(2, 'generate answers, and its stream says the same', async () => {
  const body = { model, prompt: 'Who are you?', options: calm };
  const whole = await client().generate(body);
  assert.ok(whole.response!.length > 0);
  let text = '';
  for await (const part of await client().generate({ ...body, stream: true })) text += part.response;
  assert.equal(text, whole.response);
});

calls(2, 'generate takes a system text, and raw prompts as they are', async () => {
  const shaped = await client().generate({
    model,
    prompt: 'Hello.',
    system: 'You are kind.',
    options: calm,
  });
  const raw = await client().generate({ model, prompt: 'Hello.', raw: true, options: calm });
  assert.ok(shaped.prompt_eval_count > raw.prompt_eval_count);
});

calls(2, 'embed makes unit vectors of one text or several', async () => {
  const { embeddings, prompt_eval_count } = await client().embed({
    model: 'tiny-embed',
    input: ['A cat.', 'A dog.'],
  });
  assert.deepEqual(
    embeddings.map((vector) => vector.length),
    [384, 384],
  );
  assert.ok(Math.abs(Math.hypot(...embeddings[0]!) - 1) < 1e-4);
  assert.ok(prompt_eval_count > 0);
  const one = await client().embed({ model: 'tiny-embed', input: 'A cat.' });
  assert.equal(one.embeddings.length, 1);
});

call('the older embeddings call works too', async () => {
  const { embedding } = await client().embeddings({ model: 'tiny-embed', prompt: 'A cat.' });
  assert.equal(embedding.length, 384);
});

call('list names the models', async () => {
  const { models } = await client().list();
  const names = models.map(({ name }) => name);
  assert.ok(names.some((name) => name.startsWith('tiny')));
  assert.ok(models.every(({ size, digest }) => size >= 0 && typeof digest === 'string'));
});

call('show describes a model', async () => {
  const shown = await client().show({ model });
  assert.ok(shown.capabilities.includes('completion'));
  assert.equal(shown.details.format, 'gguf');
});

call('ps lists what is in memory', async () => {
  const { models } = await client().ps();
  assert.ok(models.some(({ name }) => name.startsWith('tiny')));
});

call('version is a version', async () => {
  assert.match((await client().version()).version, /^\d+\.\d+/);
});

call('aborting a stream ends the sequence', async () => {
  const stream = await client().chat({ model, messages, stream: true, options: long });
  await assert.rejects(
    async () => {
      for await (const part of stream) if (part.message.content !== '') stream.abort();
    },
    { name: 'AbortError' },
  );
  await matrix.idle();
});

call('an unknown model is an error with its name', async () => {
  await assert.rejects(client().chat({ model: 'nobody', messages }), (error: Error) =>
    /nobody/.test(error.message),
  );
});

call('a wrong option is an error that names it', async () => {
  await assert.rejects(
    client().chat({ model, messages, options: { temperature: -1 } }),
    (error: Error & { status_code?: number }) =>
      /temperature/.test(error.message) && error.status_code === 400,
  );
});
