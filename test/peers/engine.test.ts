/**
 * A peer's real engine over the network says exactly what it says on its own machine.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import type { PeerBackend } from '../../src/gateway/backends/peer/index.ts';
import { type ChatRequest, createLocalBackend, type LocalBackend } from '../../src/gateway/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import { createHome } from '../node-support.ts';
import { askingBackend, chatRequest, collect, serve, startHost, textOf } from './support.ts';

const parts = new AsyncDisposableStack();
let local: LocalBackend;
let peer: PeerBackend;

before(async () => {
  const home = parts.use(await createHome());
  const models = parts.use(createModelStore({ home: home.path }));
  const engine = parts.use(
    createEngine({ log: silentLogger, clock: systemClock, random: systemRandom, threads: 1, device: 'cpu' }),
  );
  local = createLocalBackend({
    ...{ engine, models, defaults: { chat: 'tiny', embedding: 'tiny-embed' }, maxWaitMs: 60_000 },
    ...{ clock: systemClock, random: systemRandom },
  });
  const [asker, server] = await Promise.all([startHost('en-asker'), startHost('en-server')]);
  parts.use(asker);
  parts.use(server);
  const policy = { minTier: 'known', models: ['tiny', 'tiny-embed'], tokensPerMinute: 100_000 } as const;
  parts.use(serve(server, local, policy));
  await asker.swarm.learn(server.swarm.peer, server.swarm.addresses);
  peer = parts.use(askingBackend(asker, server, 'friend', (what) => assert.fail(what)));
});
after(() => parts.disposeAsync());

const asks: Readonly<Record<string, Partial<ChatRequest>>> = {
  'plain text': {},
  'two choices, drawn by a seed': { n: 2, sampler: { temperature: 1, seed: 7 } },
  'log probabilities': { sampler: { temperature: 0, seed: 1, topLogprobs: 3 } },
  'an answer held to a schema': {
    grammar: {
      kind: 'json_schema',
      schema: { type: 'object', properties: { a: { enum: ['x', 'y'] } }, required: ['a'] },
    },
  },
};

for (const [what, more] of Object.entries(asks))
  test(`a peer answers as its engine does at home: ${what}`, async () => {
    const request = chatRequest('Write one line about the sea.', { model: 'tiny', maxTokens: 24, ...more });
    const home = await collect(local.chat(request));
    const away = await collect(peer.chat(request));
    const choices = Array.from({ length: request.n }, (_, index) => index);
    for (const each of choices) {
      const own = (events: typeof home) =>
        events.filter((event) => 'choice' in event && event.choice === each && event.type === 'text');
      assert.ok(textOf(own(home)).length > 0);
      assert.equal(textOf(own(away)), textOf(own(home)));
      if (request.sampler.topLogprobs != null) assert.deepEqual(own(away), own(home));
    }
    const ends = (events: typeof home) =>
      events
        .filter(({ type }) => type === 'finish')
        .map((event) => JSON.stringify(event))
        .sort();
    assert.deepEqual(ends(away), ends(home));
    const [here, there] = [home.at(-1)!, away.at(-1)!];
    assert.ok(here.type === 'usage' && there.type === 'usage');
    assert.deepEqual(
      [there.promptTokens, there.completionTokens],
      [here.promptTokens, here.completionTokens],
    );
  });

test('a peer makes the embeddings that its engine makes at home', async () => {
  const signal = new AbortController().signal;
  const request = { model: 'tiny-embed', inputs: ['the sea', 'a ship'], truncate: false, signal };
  const home = await local.embed(request);
  const away = await peer.embed(request);
  assert.equal(away.dimension, home.dimension);
  for (const [index, value] of home.vectors.entries())
    assert.ok(Math.abs(value - away.vectors[index]!) < 1e-6);
  assert.deepEqual(away.tokens, home.tokens);
});
