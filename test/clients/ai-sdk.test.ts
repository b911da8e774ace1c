/** The `ai` package with the providers `@ai-sdk/openai` and `@ai-sdk/openai-compatible`, unmodified, against a node. */
import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embed,
  embedMany,
  generateObject,
  generateText,
  type LanguageModel,
  Output,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { z } from 'zod';
import { clientMatrix } from './support.ts';

// The package tells on the console what it thinks of options and of its own older names.
globalThis.AI_SDK_LOG_WARNINGS = false;

const matrix = clientMatrix('ai-sdk');
const { call, calls } = matrix;
const openai = () => createOpenAI({ baseURL: `${matrix.url}/v1`, apiKey: 'none' });
const compatible = () =>
  createOpenAICompatible({
    name: 'kith',
    baseURL: `${matrix.url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const calm = { temperature: 0, seed: 1, maxOutputTokens: 16, maxRetries: 0 };

/** Each way in which the package reaches a node. */
const ways: readonly (readonly [string, () => LanguageModel])[] = [
  ['@ai-sdk/openai (Responses)', () => openai()('tiny')],
  ['@ai-sdk/openai (chat)', () => openai().chat('tiny')],
  ['@ai-sdk/openai-compatible', () => compatible()('tiny')],
];

for (const [way, model] of ways) {
  call(`${way}: generateText answers with usage`, async () => {
    const { text, usage, response, warnings } = await generateText({
      model: model(),
      system: 'Be short.',
      prompt: 'Who are you?',
      ...calm,
    });
    assert.ok(text.length > 0);
    assert.ok(usage.inputTokens! > 0 && usage.outputTokens! > 0);
    assert.equal(response.modelId, 'tiny');
    // The Responses API has no seed, and the package says so.
    assert.deepEqual(
      (warnings ?? []).filter((warning) => !('feature' in warning && warning.feature === 'seed')),
      [],
    );
  });

  call(`${way}: streamText streams, with usage at the end`, async () => {
    const result = streamText({ model: model(), prompt: 'Who are you?', ...calm });
    let text = '';
    let pieces = 0;
    for await (const piece of result.textStream) {
      text += piece;
      pieces++;
    }
    assert.ok(text.length > 0 && pieces > 1);
    assert.equal(text, await result.text);
    assert.ok((await result.usage).outputTokens! > 0);
    assert.ok(['stop', 'length'].includes(await result.finishReason));
  });

  call(`${way}: generateObject gives an object of the schema at any temperature`, async () => {
    const schema = z.object({ color: z.enum(['red', 'blue']), size: z.number().int().min(1).max(9) });
    const { object } = await generateObject({
      model: model(),
      schema,
      prompt: 'A thing.',
      temperature: 1.2,
      maxOutputTokens: 100,
      maxRetries: 0,
    });
    assert.ok(schema.safeParse(object).success);
  });

  call(`${way}: a tool that has to be called is run with its arguments`, async () => {
    const cities: string[] = [];
    const result = await generateText({
      model: model(),
      prompt: 'Weather in Rome?',
      ...calm,
      maxOutputTokens: 100,
      tools: {
        weather: tool({
          description: 'Weather of a city',
          inputSchema: z.object({ city: z.enum(['Rome', 'Paris']) }),
          execute: async ({ city }) => {
            cities.push(city);
            return '21 degrees';
          },
        }),
      },
      toolChoice: { type: 'tool', toolName: 'weather' },
    });
    assert.equal(result.finishReason, 'tool-calls');
    assert.ok(cities.length === 1 && ['Rome', 'Paris'].includes(cities[0]!));
    assert.equal(result.toolResults[0]!.output, '21 degrees');
  });

  calls(2, `${way}: a tool's result goes into the next step`, async () => {
    const { steps, text } = await generateText({
      model: model(),
      prompt: 'Weather in Rome?',
      ...calm,
      maxOutputTokens: 100,
      stopWhen: stepCountIs(2),
      tools: {
        weather: tool({
          inputSchema: z.object({ city: z.enum(['Rome', 'Paris']) }),
          execute: async () => '21 degrees',
        }),
      },
      prepareStep: ({ stepNumber }) => ({
        toolChoice: stepNumber === 0 ? { type: 'tool', toolName: 'weather' } : 'none',
      }),
    });
    assert.equal(steps.length, 2);
    assert.ok(steps[0]!.toolCalls.length >= 1);
    assert.ok(text.length > 0);
  });

  call(`${way}: a streamed tool call comes in pieces and whole`, async () => {
    const result = streamText({
      model: model(),
      prompt: 'Weather in Rome?',
      ...calm,
      maxOutputTokens: 100,
      tools: { weather: tool({ inputSchema: z.object({ city: z.enum(['Rome', 'Paris']) }) }) },
      toolChoice: { type: 'tool', toolName: 'weather' },
    });
    let pieces = '';
    let input: unknown = null;
    for await (const part of result.fullStream) {
      if (part.type === 'tool-input-delta') pieces += part.delta;
      if (part.type === 'tool-call') input = part.input;
      assert.notEqual(part.type, 'error');
    }
    assert.deepEqual(JSON.parse(pieces), input);
  });

  call(`${way}: aborting a stream ends the sequence`, async () => {
    const controller = new AbortController();
    const result = streamText({
      model: model(),
      prompt: 'Go on, and on, and on, and tell everything.',
      temperature: 1.5,
      maxOutputTokens: 2000,
      abortSignal: controller.signal,
      onError: () => {},
    });
    let aborted = false;
    for await (const part of result.fullStream) {
      if (part.type === 'text-delta') controller.abort();
      if (part.type === 'abort') aborted = true;
    }
    assert.ok(aborted);
    await matrix.idle();
  });

  call(`${way}: an error has its status and message`, async () => {
    await assert.rejects(
      generateText({ model: model(), prompt: 'Hi', ...calm, topP: 3 }),
      (error) =>
        APICallError.isInstance(error) &&
        error.statusCode === 400 &&
        !error.isRetryable &&
        /top_p/.test(error.message),
    );
  });
}

call('Output.object streams parts of the object until it is whole', async () => {
  const schema = z.object({
    tags: z
      .array(z.enum(['a', 'b']))
      .min(1)
      .max(3),
  });
  const result = streamText({
    model: openai()('tiny'),
    prompt: 'Tags.',
    temperature: 1,
    maxOutputTokens: 100,
    output: Output.object({ schema }),
  });
  let parts = 0;
  for await (const _ of result.partialOutputStream) parts++;
  assert.ok(parts > 0);
  assert.ok(schema.safeParse(await result.output).success);
});

call('streamObject ends with an object of the schema', async () => {
  const schema = z.object({ name: z.string().max(8) });
  const { object, partialObjectStream } = streamObject({
    model: compatible()('tiny'),
    schema,
    prompt: 'A name.',
    temperature: 1,
    maxOutputTokens: 100,
  });
  let parts = 0;
  for await (const _ of partialObjectStream) parts++;
  assert.ok(parts > 0);
  assert.ok(schema.safeParse(await object).success);
});

calls(2, 'embed and embedMany make vectors, with either provider', async () => {
  const { embedding, usage } = await embed({
    model: openai().embedding('tiny-embed'),
    value: 'A cat.',
  });
  assert.equal(embedding.length, 384);
  assert.ok(usage.tokens > 0);
  const { embeddings } = await embedMany({
    model: compatible().embeddingModel('tiny-embed'),
    values: ['A cat.', 'A dog.'],
  });
  assert.equal(embeddings.length, 2);
  assert.deepEqual(embeddings[0], embedding);
});

call('an unknown model is an error that is not tried again', async () => {
  await assert.rejects(
    generateText({ model: openai().chat('nobody'), prompt: 'Hi', maxRetries: 2 }),
    (error) => APICallError.isInstance(error) && error.statusCode === 404,
  );
});

call('completions work through the completion model', async () => {
  const { text } = await generateText({
    model: openai().completion('tiny'),
    prompt: 'The sea is',
    ...calm,
    providerOptions: { openai: { logitBias: { 2: -100 } } },
  });
  assert.ok(text.length > 0);
});
