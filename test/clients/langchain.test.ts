/** `@langchain/openai`, unmodified, against a node. */
import assert from 'node:assert/strict';
import { HumanMessage, SystemMessage, type ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { clientMatrix } from './support.ts';

const matrix = clientMatrix('langchain');
const { call, calls } = matrix;
const reach = () => ({ apiKey: 'none', configuration: { baseURL: `${matrix.url}/v1` }, maxRetries: 0 });
const chat = (options: object = {}) =>
  new ChatOpenAI({ model: 'tiny', temperature: 0, maxTokens: 12, ...reach(), ...options });
interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}
const usageOf = (answer: { readonly usage_metadata?: unknown }) => answer.usage_metadata as Usage;
const weather = tool(async ({ city }: { city: string }) => `${city}: 21 degrees`, {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: z.object({ city: z.enum(['Rome', 'Paris']) }),
});

call('invoke answers with usage', async () => {
  const answer = await chat().invoke([new SystemMessage('Be short.'), new HumanMessage('Who are you?')]);
  assert.ok(answer.text.length > 0);
  assert.ok(usageOf(answer).input_tokens > 0 && usageOf(answer).output_tokens > 0);
});

calls(2, 'stream says what invoke says', async () => {
  const whole = await chat().invoke('Who are you?');
  let text = '';
  for await (const chunk of await chat().stream('Who are you?')) text += chunk.text;
  assert.equal(text, whole.text);
});

calls(3, 'batch answers each', async () => {
  const answers = await chat({ maxTokens: 4 }).batch(['One?', 'Two?', 'Three?']);
  assert.equal(answers.length, 3);
  assert.ok(answers.every(({ text }) => text.length > 0));
});

calls(2, 'bindTools calls, and the result of the tool goes back', async () => {
  const bound = chat({ maxTokens: 100 }).bindTools([weather], {
    tool_choice: 'required',
    parallel_tool_calls: false,
  });
  const first = await bound.invoke('Weather in Rome?');
  const [made] = first.tool_calls!;
  assert.equal(made!.name, 'get_weather');
  const result: ToolMessage = await weather.invoke(made as never);
  assert.match(String(result.content), /^(Rome|Paris): 21 degrees$/);
  const second = await chat().invoke([new HumanMessage('Weather in Rome?'), first, result]);
  assert.ok(usageOf(second).input_tokens > 0);
});

call('a streamed call is put together from its chunks', async () => {
  const bound = chat({ maxTokens: 100 }).bindTools([weather], {
    tool_choice: 'get_weather',
    parallel_tool_calls: false,
  });
  let whole: Awaited<ReturnType<typeof bound.invoke>> | undefined;
  for await (const chunk of await bound.stream('Weather in Rome?')) {
    whole = whole === undefined ? chunk : (whole as typeof chunk).concat(chunk);
  }
  const [made] = whole!.tool_calls!;
  assert.ok(['Rome', 'Paris'].includes(made!.args.city));
});

for (const method of ['jsonSchema', 'functionCalling'] as const) {
  call(`withStructuredOutput gives an object of the schema by ${method}`, async () => {
    const schema = z.object({ color: z.enum(['red', 'blue']), size: z.number().int().min(1).max(9) });
    const object = await chat({ temperature: 1, maxTokens: 100 })
      .withStructuredOutput(schema, { method, name: 'thing' })
      .invoke('A thing.');
    assert.ok(schema.safeParse(object).success);
  });
}

call('the Responses API answers', async () => {
  const answer = await chat({ useResponsesApi: true, maxTokens: 16 }).invoke('Who are you?');
  assert.ok(answer.text.length > 0);
});

call('the Responses API streams', async () => {
  let text = '';
  const stream = await chat({ useResponsesApi: true, maxTokens: 16 }).stream('Who are you?');
  for await (const chunk of stream) text += chunk.text;
  assert.ok(text.length > 0);
});

calls(2, 'embeddings of a query and of documents agree', async () => {
  const embeddings = new OpenAIEmbeddings({ model: 'tiny-embed', ...reach() });
  const query = await embeddings.embedQuery('A cat.');
  const documents = await embeddings.embedDocuments(['A cat.', 'A dog.']);
  assert.equal(query.length, 384);
  assert.deepEqual(documents[0], query);
});

call('the completion model continues a text', async () => {
  const model = new OpenAI({
    model: 'tiny',
    temperature: 0,
    maxTokens: 6,
    logitBias: { 2: -100 },
    ...reach(),
  });
  assert.ok((await model.invoke('The sea is')).length > 0);
});

call('leaving a stream ends the sequence', async () => {
  const controller = new AbortController();
  const endless = chat({ maxTokens: 2000, temperature: 1.5, logitBias: { 2: -100 } });
  await assert.rejects(async () => {
    for await (const chunk of await endless.stream('Go on.', { signal: controller.signal })) {
      if (chunk.text !== '') controller.abort();
    }
  });
  await matrix.idle();
});

call('an unknown model is an error with its status', async () => {
  await assert.rejects(
    chat({ model: 'nobody' }).invoke('Hi'),
    (error: Error & { status?: number }) => error.status === 404,
  );
});
