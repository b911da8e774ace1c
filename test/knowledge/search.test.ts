/** Search by meaning with the embedder that every install has: all-MiniLM-L6-v2 in the engine, the store on the disk, the slab. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { createRetriever, type Embedder, openKnowledgeStore } from '../../src/knowledge/index.ts';
import { testModel } from '../models/index.ts';

const TEXTS = [
  'Photosynthesis turns light into sugar in the leaves of plants.',
  'The invoice must be paid within thirty days of its date.',
  'The striker scored twice before half time.',
  'Sourdough needs a starter, flour, water and a night of patience.',
  'A transformer predicts the next token from those before it.',
  'Reset the router by holding its button for ten seconds.',
];
/** Of each text, in other words. */
const QUESTIONS = [
  'How do trees make food from sunshine?',
  'When is the bill due?',
  'Who got the goals in the football match?',
  'bread recipe without yeast',
  'how do language models write text',
  'my internet box does not work any more',
];

test('questions in other words find their texts, and again after the knowledge base was opened anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-search-'));
  await using engine = createEngine({
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
    ...{ threads: 1, device: 'cpu' },
  });
  try {
    const model = 'minilm';
    const { embedding } = await engine.load({ id: model, path: await testModel('minilm-f16') });
    const embedder: Embedder = {
      ...{ id: model, hash: 'minilm-f16', dimension: embedding, window: 254 },
      embed: async (inputs, { signal }) =>
        (await engine.embed({ model, inputs, truncate: true }, signal)).vectors,
      countTokens: async (texts) => texts.map(() => 0),
    };
    const path = join(folder, 'test.kb');
    {
      using store = openKnowledgeStore({ path, create: { name: 'test', clock: systemClock }, embedder });
      for (const [i, text] of TEXTS.entries()) {
        store.put(
          {
            ...{ path: `${i}.txt`, title: '', titled: false, type: 'txt', hash: new Uint8Array(32).fill(i) },
            ...{ recipe: 'test', bytes: text.length, modified: 0, pages: null, properties: {} },
            ...{ tags: [], aliases: [], links: [], notes: [] },
          },
          [{ id: String(i).padStart(32, '0'), position: 0, title: '', text, tokens: 12, place: {} }],
          await embedder.embed([text], { kind: 'passage' }),
          [],
        );
      }
    }
    using store = openKnowledgeStore({ path, embedder });
    await using retriever = createRetriever({ store, embedder });
    for (const [i, question] of QUESTIONS.entries()) {
      const { hits, by, degraded } = await retriever.search(question, { limit: 3 });
      assert.equal(hits[0]?.chunk.path, `${i}.txt`, question);
      assert.equal(hits[0]?.vector?.rank, 1);
      assert.deepEqual([by, degraded], [['words', 'vectors'], null]);
    }
    assert.deepEqual((await retriever.search(QUESTIONS[0]!, { by: 'words' })).hits, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
