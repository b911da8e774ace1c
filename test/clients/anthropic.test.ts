/** The official `@anthropic-ai/sdk` package, unmodified, against a node. */
import assert from 'node:assert/strict';
import Anthropic, { BadRequestError, NotFoundError } from '@anthropic-ai/sdk';
import { clientMatrix } from './support.ts';

const matrix = clientMatrix('anthropic');
const { call, calls } = matrix;
const client = () => new Anthropic({ baseURL: matrix.url, apiKey: 'none', maxRetries: 0 });
const model = 'tiny';
const ask = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];
const calm = { model, temperature: 0, max_tokens: 12 };
const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string', enum: ['Rome', 'Paris'] } },
    required: ['city'],
    additionalProperties: false,
  },
};
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

calls(2, 'a message is answered, and its stream says the same', async () => {
  const whole = await client().messages.create({ ...calm, messages: ask('Who are you?') });
  assert.ok(textOf(whole).length > 0);
  assert.deepEqual([whole.role, whole.type, whole.model], ['assistant', 'message', model]);
  assert.ok(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0);
  assert.equal(whole.stop_reason, 'end_turn');
  let text = '';
  const types: string[] = [];
  const stream = await client().messages.create({
    ...calm,
    messages: ask('Who are you?'),
    stream: true,
  });
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
  }
  assert.equal(text, textOf(whole));
  assert.equal(types[0], 'message_start');
  assert.deepEqual(types.slice(-3), ['content_block_stop', 'message_delta', 'message_stop']);
});

call('the id of the request comes with the answer', async () => {
  const { request_id } = await client()
    .messages.create({ ...calm, messages: ask('Hi') })
    .withResponse();
  assert.match(request_id!, /^req-/);
});

call('the stream helper collects the message', async () => {
  const stream = client().messages.stream({ ...calm, messages: ask('Hello') });
  let text = '';
  stream.on('text', (delta) => {
    text += delta;
  });
  const final = await stream.finalMessage();
  assert.equal(textOf(final), text);
  assert.ok(final.usage.output_tokens > 0);
});

call('system texts and blocks are taken', async () => {
  const answer = await client().messages.create({
    ...calm,
    system: [{ type: 'text', text: 'Be kind.' }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hello.' }] },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: 'And now?' },
    ],
    metadata: { user_id: 'u' },
  });
  assert.ok(answer.usage.input_tokens > 20);
});

calls(2, 'stop sequences end an answer and are named', async () => {
  const free = textOf(await client().messages.create({ ...calm, messages: ask('Who are you?') }));
  const stop = free.slice(4, 7);
  const answer = await client().messages.create({
    ...calm,
    messages: ask('Who are you?'),
    stop_sequences: [stop],
  });
  assert.deepEqual([answer.stop_reason, answer.stop_sequence], ['stop_sequence', stop]);
  assert.equal(textOf(answer), free.slice(0, free.indexOf(stop)));
});

calls(2, 'a tool is called and its result taken', async () => {
  const messages = ask('Weather in Rome?');
  const first = await client().messages.create({
    ...calm,
    messages,
    max_tokens: 100,
    tools: [weather],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  });
  assert.equal(first.stop_reason, 'tool_use');
  const made = first.content.find((block) => block.type === 'tool_use')!;
  assert.equal(made.name, 'get_weather');
  assert.ok(['Rome', 'Paris'].includes((made.input as { city: string }).city));
  messages.push(
    { role: 'assistant', content: first.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: made.id, content: '21 degrees' }] },
  );
  const second = await client().messages.create({
    ...calm,
    messages,
    tools: [weather],
    tool_choice: { type: 'none' },
  });
  assert.ok(textOf(second).length > 0);
});

call('a streamed call comes in pieces of JSON that the helper joins', async () => {
  const stream = client().messages.stream({
    ...calm,
    messages: ask('Weather in Rome?'),
    max_tokens: 100,
    tools: [weather],
    tool_choice: { type: 'tool', name: 'get_weather' },
  });
  let pieces = '';
  stream.on('inputJson', (delta) => {
    pieces += delta;
  });
  const final = await stream.finalMessage();
  const made = final.content.find((block) => block.type === 'tool_use')!;
  assert.deepEqual(JSON.parse(pieces), made.input);
});

calls(2, 'tokens are counted as a message then has them', async () => {
  const messages = ask('Count these words.');
  const { input_tokens } = await client().messages.countTokens({ model, messages });
  const { usage } = await client().messages.create({ ...calm, max_tokens: 1, messages });
  assert.equal(
    input_tokens,
    usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
  );
});

call('an answer ends at max_tokens and says so', async () => {
  const { stop_reason, usage } = await client().messages.create({
    ...calm,
    messages: ask('Who are you?'),
    max_tokens: 3,
  });
  assert.deepEqual([stop_reason, usage.output_tokens], ['max_tokens', 3]);
});

calls(2, 'models that write text are listed and described', async () => {
  const ids: string[] = [];
  for await (const { id } of client().models.list()) ids.push(id);
  assert.ok(ids.includes(model) && !ids.includes('tiny-embed'));
  assert.equal((await client().models.retrieve(model)).id, model);
});

call('aborting a stream ends the sequence', async () => {
  const stream = client().messages.stream({
    model,
    messages: ask('Go on, and on, and on.'),
    max_tokens: 2000,
    temperature: 1,
  });
  stream.on('text', () => stream.abort());
  await assert.rejects(stream.finalMessage(), { name: /Abort/ });
  await matrix.idle();
});

call('an unknown model is a NotFoundError', async () => {
  await assert.rejects(
    client().messages.create({ ...calm, model: 'nobody', messages: ask('Hi') }),
    (error) => error instanceof NotFoundError && /nobody/.test(error.message),
  );
});

call('a wrong field is a BadRequestError that names it', async () => {
  await assert.rejects(
    client().messages.create({ ...calm, ...{ temperature: 9 }, messages: ask('Hi') }),
    (error) => error instanceof BadRequestError && /temperature/.test(error.message),
  );
});

call('an image is a BadRequestError', async () => {
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AA==' };
  await assert.rejects(
    client().messages.create({
      ...calm,
      messages: [{ role: 'user', content: [{ type: 'image', source }] }],
    }),
    BadRequestError,
  );
});
