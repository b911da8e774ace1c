/** Clients of other makers with keys: each finds the place where it puts its own, and its own error classes come back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { openServer, type TestServer } from '../security/support.ts';

let node: TestServer;
before(async () => {
  node = await openServer({ access: { host: '0.0.0.0' } });
});
after(() => node[Symbol.asyncDispose]());

const messages = [{ role: 'user' as const, content: 'Hi' }];
const openai = (apiKey: string, maxRetries = 0) =>
  new OpenAI({ apiKey, baseURL: `${node.url}/v1`, maxRetries });
const anthropic = (apiKey: string) => new Anthropic({ apiKey, baseURL: node.url, maxRetries: 0 });
const ollama = (key: string) => new Ollama({ host: node.url, headers: { authorization: `Bearer ${key}` } });

test('a right key is found where each client puts it', async () => {
  assert.equal((await openai(node.key).chat.completions.create({ model: 'm', messages })).choices.length, 1);
  const message = await anthropic(node.key).messages.create({ model: 'm', max_tokens: 4, messages });
  assert.equal(message.role, 'assistant');
  assert.equal((await ollama(node.key).list()).models.length, 1);
});

test("a wrong key is each client's own kind of error", async () => {
  await assert.rejects(openai('sk-wrong').models.list(), OpenAI.AuthenticationError);
  await assert.rejects(
    anthropic('wrong').messages.create({ model: 'm', max_tokens: 4, messages }),
    Anthropic.AuthenticationError,
  );
  await assert.rejects(ollama('wrong').list(), { status_code: 401 });
});

test('a missing scope and a spent rate are told in the words that the client knows', async () => {
  const { text } = node.keys.create({
    name: 'slow',
    scopes: ['generate'],
    expiresAt: null,
    requestsPerMinute: 1,
    tokensPerMinute: null,
  });
  const client = openai(text);
  await assert.rejects(client.models.list(), OpenAI.PermissionDeniedError);
  const { response } = await client.chat.completions.create({ model: 'm', messages }).withResponse();
  assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '0');
  await assert.rejects(client.chat.completions.create({ model: 'm', messages }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.ok(Number(error.headers.get('retry-after')) > 0);
    return true;
  });
});
