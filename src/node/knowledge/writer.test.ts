import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import {
  type Backend,
  type BackendModel,
  type ChatEvent,
  type ChatRequest,
  createGateway,
  type GatewayProvider,
} from '../../gateway/index.ts';
import type { WriterFacts } from '../../knowledge/index.ts';
import { openWriter } from './writer.ts';

/** A gateway with one provider somewhere else, and what that was asked. */
function elsewhere(destination: GatewayProvider['destination'], fails = false) {
  const asked: ChatRequest[] = [];
  const backend: Backend = {
    name: 'vendor',
    has: async (model) => model === 'big',
    defaultModel: () => 'big',
    models: async () => [
      { id: 'big', task: 'chat', state: 'ready', ownedBy: 'vendor', context: 2000, since: null },
    ],
    async *chat(request): AsyncGenerator<ChatEvent> {
      asked.push(request);
      if (fails) throw new KithError('backend_failed', 'It is down.', { status: 502 });
      yield { type: 'start', backend: 'vendor', model: 'big' };
      yield { type: 'text', choice: 0, text: 'The rent ', logprobs: null };
      yield { type: 'text', choice: 0, text: 'is 840 [1].', logprobs: null };
      yield { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
      yield {
        ...{ type: 'usage', promptTokens: 5, cachedTokens: 0, completionTokens: 4 },
        receipt: {
          ...{ backend: 'vendor', model: 'big', queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
        },
      };
    },
    complete: () => assert.fail(),
    countTokens: () => assert.fail(),
    embed: () => assert.fail(),
    health: async () => assert.fail(),
  };
  const provider: GatewayProvider = { backend, destination, step: 'remote' };
  const gateway = createGateway({
    ...{ providers: [provider], clock: systemClock, random: createSeededRandom(1), log: silentLogger },
    ...{ probeMs: 0, retries: 0, policy: { degrade: 'explain', cache: 'keep' } },
  });
  return { gateway, asked };
}

async function write(
  gateway: ReturnType<typeof elsewhere>['gateway'],
  model: string,
  text: string,
  told: WriterFacts[] = [],
) {
  const writer = await openWriter({ backend: gateway, config: { gateway: { privacy: 'medium' } } }, model);
  let written = '';
  const signal = new AbortController().signal;
  for await (const piece of writer.write([{ role: 'user', content: text }], {
    ...{ maxTokens: 20, temperature: 0, signal, told: (facts: WriterFacts) => told.push(facts) },
  }))
    written += piece;
  return { writer, written, told };
}

const PRIVATE = 'Write to anna.berg@example.org about the rent of [1].';

test("a provider gets passages under the owner's privacy level, and the answer says who wrote and where", async () => {
  const { gateway, asked } = elsewhere({ kind: 'provider', link: 'encrypted' });
  await using _ = gateway;
  const { writer, written, told } = await write(gateway, 'big', PRIVATE);
  assert.equal(written, 'The rent is 840 [1].');
  assert.equal(writer.id, 'big');
  const sent = JSON.stringify(asked[0]!.messages);
  assert.doesNotMatch(sent, /anna\.berg/);
  assert.match(sent, /about the rent of \[1\]/);
  assert.equal(asked[0]!.sampler.temperature, 0);
  assert.deepEqual(told.at(-1), {
    ...{ backend: 'vendor', model: 'big', where: 'provider', link: 'encrypted', privacy: 'medium' },
    replaced: [{ class: 'email', count: 1 }],
    ...{ others: [], promptTokens: 5, completionTokens: 4, cost: null },
  });
  assert.equal(told[0]!.backend, 'vendor');
});

test('a provider that had the passages and failed is told of', async () => {
  const { gateway, asked } = elsewhere({ kind: 'provider', link: 'encrypted' }, true);
  await using _ = gateway;
  const told: WriterFacts[] = [];
  await assert.rejects(write(gateway, 'big', PRIVATE, told), /down/);
  assert.equal(asked.length, 1);
  assert.deepEqual(
    told.map(({ backend, model, where }) => [backend, model, where]),
    [['vendor', 'big', null]],
  );
});

test('where the level forbids it nothing is sent, and no explanation stands in for the answer', async () => {
  const { gateway, asked } = elsewhere({ kind: 'provider', link: 'open' });
  await using _ = gateway;
  const told: WriterFacts[] = [];
  await assert.rejects(write(gateway, 'big', PRIVATE, told));
  assert.deepEqual([asked.length, told.length], [0, 0]);
});

const SMALL: BackendModel = {
  ...{ id: 'small', task: 'chat', state: 'ready', ownedBy: 'kith', context: 2000, since: null },
};

test('what this machine writes without a gateway is said to be here, by the model that it has', async () => {
  const asked: (string | null)[] = [];
  const backend = {
    defaultModel: () => 'small',
    models: async () => [SMALL],
    async *chat({ model }: ChatRequest): AsyncGenerator<ChatEvent> {
      asked.push(model);
      yield { type: 'start', backend: 'local', model: 'small' };
    },
  };
  const writer = await openWriter({ backend, config: { gateway: { privacy: 'minimum' } } }, 'auto');
  assert.equal(writer.context, 2000);
  const told: WriterFacts[] = [];
  const signal = new AbortController().signal;
  for await (const _ of writer.write([], {
    maxTokens: 1,
    temperature: 0,
    signal,
    told: (facts) => told.push(facts),
  }));
  assert.deepEqual(asked, ['small']);
  assert.deepEqual(told, [
    {
      ...{
        backend: 'local',
        model: 'small',
        where: 'this_machine',
        link: null,
        privacy: null,
        replaced: null,
      },
      ...{ others: [], promptTokens: null, completionTokens: null, cost: 0 },
    },
  ]);
});
