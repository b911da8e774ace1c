/**
 * Conversations of several turns with the `ai` package and the default model of `@ai-sdk/openai`, unmodified: it refers
 * to the texts of earlier answers by their ids.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, type ModelMessage, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

// The package tells on the console what it thinks of options.
globalThis.AI_SDK_LOG_WARNINGS = false;

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

/** A model, and the items of each request that it sent: references by what they are, other items by type or role. */
function spied() {
  const sent: string[][] = [];
  const { responses } = createOpenAI({
    baseURL: `${node.url}/v1`,
    apiKey: 'none',
    fetch: (url, init) => {
      const { input } = JSON.parse(String(init?.body)) as {
        input: { type?: string; role?: string; id?: string }[];
      };
      sent.push(
        input.map(({ type, role, id }) =>
          type === 'item_reference' ? `-> ${id!.split('_')[0]}` : (type ?? role!),
        ),
      );
      return fetch(url, init);
    },
  });
  return { sent, model: responses('tiny') };
}

const calm = { temperature: 0, maxOutputTokens: 8, maxRetries: 0 };
const whole = { providerOptions: { openai: { store: false } } };
const user = (content: string): ModelMessage => ({ role: 'user', content });

test('three turns are answered, and the model reads what it would read of texts sent again', async () => {
  const { model, sent } = spied();
  const messages: ModelMessage[] = [];
  for (const words of ['Who are you?', 'Why?', 'Since when?']) {
    messages.push(user(words));
    const answer = await generateText({ model, messages, ...calm });
    const again = await generateText({ model, messages, ...calm, ...whole });
    assert.ok(answer.text.length > 0);
    assert.equal(answer.usage.inputTokens, again.usage.inputTokens);
    messages.push(...answer.responseMessages);
  }
  assert.deepEqual(
    [sent[0], sent[2], sent[4], sent[5]],
    [
      ['user'],
      ['user', '-> msg', 'user'],
      ['user', '-> msg', 'user', '-> msg', 'user'],
      ['user', 'assistant', 'user', 'assistant', 'user'],
    ],
  );
});

test('streamed turns are remembered like whole ones', async () => {
  const { model, sent } = spied();
  const messages: ModelMessage[] = [];
  for (const words of ['Who are you?', 'Why?', 'Since when?']) {
    messages.push(user(words));
    const answer = streamText({ model, messages, ...calm, onError: () => {} });
    assert.ok((await answer.text).length > 0);
    messages.push(...(await answer.responseMessages));
  }
  assert.deepEqual(sent.at(-1), ['user', '-> msg', 'user', '-> msg', 'user']);
});

test('a loop with a tool goes on into the turns after it', async () => {
  const { model, sent } = spied();
  const tools = {
    weather: tool({
      description: 'Weather of a city',
      inputSchema: z.object({ city: z.enum(['Rome', 'Paris']) }),
      execute: async ({ city }) => `${city}: 21 degrees`,
    }),
  };
  const messages = [user('Weather in Rome?')];
  const first = await generateText({
    model,
    messages,
    tools,
    ...calm,
    maxOutputTokens: 100,
    stopWhen: stepCountIs(3),
    prepareStep: ({ stepNumber }) => ({
      toolChoice: stepNumber === 0 ? { type: 'tool', toolName: 'weather' } : 'none',
    }),
  });
  assert.deepEqual(
    first.steps.map(({ finishReason }) => finishReason),
    ['tool-calls', 'stop'],
  );
  assert.match(String(first.steps[0]!.toolResults[0]!.output), /21 degrees/);
  messages.push(...first.responseMessages, user('And tomorrow?'));
  const ask = (more: object) =>
    generateText({ model, messages, tools, toolChoice: 'none', ...calm, ...more });
  const second = await ask({});
  assert.ok(second.text.length > 0);
  assert.equal(second.usage.inputTokens, (await ask(whole)).usage.inputTokens);
  messages.push(...second.responseMessages, user('Thanks.'));
  assert.ok((await ask({})).text.length > 0);
  const turn = ['user', 'function_call', 'function_call_output', '-> msg', 'user'];
  assert.deepEqual([sent[1], sent[2], sent[4]], [turn.slice(0, 3), turn, [...turn, '-> msg', 'user']]);
});

test('a node that was started again says what to do about texts it has forgotten', async () => {
  const { model } = spied();
  const messages = [user('Who are you?')];
  messages.push(...(await generateText({ model, messages, ...calm })).responseMessages, user('Why?'));
  await node.close();
  node = await startNode(home);
  const { model: later } = spied();
  await assert.rejects(
    generateText({ model: later, messages, ...calm }),
    (error) =>
      APICallError.isInstance(error) &&
      error.statusCode === 400 &&
      !error.isRetryable &&
      /providerOptions\.openai\.store/.test(error.message),
  );
  assert.ok((await generateText({ model: later, messages, ...calm, ...whole })).text.length > 0);
});
