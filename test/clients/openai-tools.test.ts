/** The official `openai` package, unmodified: tools and structured output of chat. */
import assert from 'node:assert/strict';
import type OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ask, calm, checkWeather, model, openAiMatrix, weather } from './openai-support.ts';

const { call, calls, client } = openAiMatrix('openai-tools');
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
