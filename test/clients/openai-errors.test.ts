/** The official `openai` package, unmodified: leaving an answer, errors by class, retries, keys. */
import assert from 'node:assert/strict';
import {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { systemClock, systemRandom } from '../../src/base/index.ts';
import { openKeyStore } from '../../src/server/index.ts';
import { ask, calm, model, openAiMatrix } from './openai-support.ts';
import { endless } from './support.ts';

const { matrix, call, calls, client } = openAiMatrix('openai-errors', {
  'engine.maxActive': 2,
  'engine.maxQueue': 1,
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

call('other dimensions than the model has are a BadRequestError', async () => {
  await assert.rejects(
    client().embeddings.create({ model: 'tiny-embed', input: 'A cat.', dimensions: 128 }),
    (error) => error instanceof BadRequestError && error.param === 'dimensions',
  );
});
