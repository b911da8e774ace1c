/** The official `openai` package, unmodified: the Responses API. */
import assert from 'node:assert/strict';
import { APIError, type OpenAI } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { checkWeather, model, openAiMatrix, weather } from './openai-support.ts';

const { call, calls, client } = openAiMatrix('openai-responses');

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
