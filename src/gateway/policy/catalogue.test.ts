import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend, BackendModel } from '../types.ts';
import { createCatalogue } from './index.ts';
import { names } from './testing/candidates.ts';

const row = (id: string, context: number | null = null): BackendModel => ({
  id,
  task: 'chat',
  state: 'ready',
  ownedBy: 'x',
  context,
  since: null,
});

/** Only what a catalogue asks a backend for. */
function backend(name: string, models: () => readonly BackendModel[], chat: string | null = null): Backend {
  return { name, models: async () => models(), defaultModel: () => chat } as unknown as Backend;
}

test("ids, aliases, defaults and the models of agents name candidates in the owner's order", async () => {
  const catalogue = createCatalogue({
    providers: [
      {
        backend: backend('home', () => [row('small', 4096)], 'small'),
        aliases: { fast: 'small' },
        ownMachine: true,
      },
      {
        backend: backend('cloud', () => [row('large'), row('small')], 'large'),
        aliases: { fast: 'small', quality: 'large', embedding: 'vec' },
        facts: { large: { context: 100_000, quality: 2, parameters: 70e9 } },
        region: 'eu',
      },
      { backend: backend('any', () => []), anyModel: true },
    ],
    agents: { researcher: 'quality', writer: 'small' },
  });
  await catalogue.refresh();
  const told = (name: string | null, agent: string | null = null) =>
    catalogue.candidates(name, 'chat', agent).map((one) => `${one.backend.name}/${one.model}`);
  assert.deepEqual(told('small'), ['home/small', 'cloud/small', 'any/small']);
  assert.deepEqual(told('fast'), ['home/small', 'cloud/small']);
  assert.deepEqual(told('quality'), ['cloud/large']);
  assert.deepEqual(told('embedding'), ['cloud/vec']);
  assert.deepEqual(told(null), ['home/small', 'cloud/large']);
  assert.deepEqual(told('default', 'researcher'), ['cloud/large']);
  assert.deepEqual(told(null, 'writer'), ['home/small', 'cloud/small', 'any/small']);
  assert.deepEqual(told('quality', 'writer'), ['cloud/large'], 'what the caller names goes before');
  assert.deepEqual(told(null, 'constructor'), ['home/small', 'cloud/large']);
  assert.deepEqual(told('other'), ['any/other']);
  const [large] = catalogue.candidates('large', 'chat');
  assert.deepEqual([large!.context, large!.quality, large!.region, large!.order], [100_000, 2, 'eu', 1]);
  assert.equal(catalogue.candidates('small', 'chat')[0]!.context, 4096);
  assert.equal(catalogue.candidates('small', 'chat'), catalogue.candidates('small', 'chat'), 'made once');
});

test('a refresh follows what backends have, and one that does not answer keeps what it had', async () => {
  let has: readonly BackendModel[] | null = [row('a')];
  const catalogue = createCatalogue({
    providers: [
      {
        backend: backend('one', () => {
          if (has === null) throw new Error('away');
          return has;
        }),
      },
    ],
  });
  assert.deepEqual(names(catalogue.candidates('a', 'chat')), []);
  await catalogue.refresh();
  assert.deepEqual(names(catalogue.candidates('a', 'chat')), ['one']);
  has = null;
  await catalogue.refresh('one');
  assert.deepEqual(names(catalogue.candidates('a', 'chat')), ['one']);
  has = [row('b')];
  await catalogue.refresh('one');
  assert.deepEqual(names(catalogue.candidates('a', 'chat')), []);
  assert.deepEqual(names(catalogue.candidates('b', 'chat')), ['one']);
});

test('a model that the owner named is there though the server does not list it, for what it was named for', async () => {
  const catalogue = createCatalogue({
    providers: [
      { backend: backend('silent', () => [], 'large'), aliases: { fast: 'small', embedding: 'vec' } },
    ],
  });
  await catalogue.refresh();
  const told = (name: string, task: 'chat' | 'embedding') =>
    catalogue.candidates(name, task).map(({ model }) => model);
  assert.deepEqual(
    [told('large', 'chat'), told('small', 'chat'), told('vec', 'embedding')],
    [['large'], ['small'], ['vec']],
  );
  assert.deepEqual([told('vec', 'chat'), told('small', 'embedding'), told('other', 'chat')], [[], [], []]);
});
