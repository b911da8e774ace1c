/** Questions about Kith's own documentation, answered with its sentences. @module test/knowledge/docs-answers.test */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import {
  answerFigures,
  createAnswerer,
  createParserPool,
  createRetriever,
  type Embedder,
  ingest,
  judgeAnswer,
  openKnowledgeStore,
  readQuestionFile,
} from '../../src/knowledge/index.ts';

const DOCS = join(import.meta.dirname, '../../docs');
/** Long, and all tables: it would cost more time than the rest. */
const LEFT_OUT = ['commands.md', 'dependencies.md'];

/** Cuts as the real one does; nothing is looked up by its vectors, so that the test takes seconds. */
const words: Embedder = {
  ...{ id: 'words', hash: 'words', dimension: 4, window: 254 },
  embed: async (texts) => new Float32Array(texts.length * 4).fill(0.5),
  countTokens: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
};

test('questions about the documentation are answered by words alone, and others are refused', async () => {
  using store = openKnowledgeStore({ path: ':memory:', create: { name: 'docs', clock: systemClock } });
  await using pool = createParserPool({ processes: 1 });
  const files = readdirSync(DOCS)
    .filter((name) => name.endsWith('.md') && !LEFT_OUT.includes(name))
    .map((name) => ({ path: `docs/${name}`, source: { path: join(DOCS, name), name } }));
  for await (const _ of ingest(files, { store, pool, embedder: words, clock: systemClock }));
  await using retriever = createRetriever({ store, embedder: words });
  const answerer = createAnswerer({
    ...{ retriever, store, embedder: null, writer: null },
    ...{ clock: systemClock, random: createSeededRandom(1) },
  });
  const judged = [];
  for (const { id, text, answerable, expected } of await readQuestionFile(
    join(import.meta.dirname, 'questions/docs.json'),
  )) {
    const events = [];
    for await (const event of answerer.answer(text, { search: { by: 'words' } })) events.push(event);
    judged.push(judgeAnswer({ id, answerable, expected, judgements: null }, events, 0));
  }
  const { questions, falseRefusals, outOfScope, refusals, citationPrecision, keywords } =
    answerFigures(judged);
  const told = JSON.stringify({ falseRefusals, refusals, citationPrecision, keywords });
  // With vectors all are answered and 90 % of what is expected is said: docs/knowledge-answers.md.
  assert.ok(questions - falseRefusals >= 0.9 * questions, told);
  assert.ok(refusals >= 0.7 * outOfScope, told);
  assert.ok(citationPrecision! >= 0.99, told);
  assert.ok(keywords! >= 0.7, told);
});
