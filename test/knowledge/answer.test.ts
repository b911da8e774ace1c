/** Answers over a knowledge base that was ingested with the embedder of every install, without a model that writes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { scripted } from '../../src/knowledge/answer/testing/chunks.ts';
import {
  type AnswerEvent,
  type AnswerOptions,
  collectAnswer,
  createAnswerer,
  createRetriever,
  ingest,
  type KnowledgeStore,
  openKnowledgeStore,
  type Retriever,
  type Writer,
} from '../../src/knowledge/index.ts';
import { DOCUMENTS, OTHER_QUESTIONS, QUESTIONS, SENTENCES } from './answering.ts';
import { eventsOf, fileOf, plainPool, startEmbedder, type TestEmbedder } from './support.ts';

let real: TestEmbedder;
let store: KnowledgeStore;
let retriever: Retriever;
before(async () => {
  real = await startEmbedder();
  store = openKnowledgeStore({ path: ':memory:', create: { name: 'Test', clock: systemClock } });
  const files = Object.entries(DOCUMENTS).map(([path, text]) => fileOf(path, text));
  await eventsOf(ingest(files, { store, pool: plainPool, embedder: real.embedder, clock: systemClock }));
  retriever = createRetriever({ store, embedder: real.embedder });
});
after(async () => {
  await retriever[Symbol.asyncDispose]();
  store.close();
  await real[Symbol.asyncDispose]();
});

async function ask(question: string, writer: Writer | null = null, options: AnswerOptions = {}) {
  const { embedder } = real;
  const random = createSeededRandom(1);
  const answerer = createAnswerer({ retriever, store, embedder, writer, clock: systemClock, random });
  const { text, events } = await collectAnswer(answerer.answer(question, options));
  const of = <T extends AnswerEvent['type']>(type: T) =>
    events.filter((event): event is AnswerEvent & { type: T } => event.type === type);
  return { text, of, finish: of('finish')[0]! };
}

test('without a writer, questions are answered by sentences of the file that answers, each cited word for word', async () => {
  const missed: string[] = [];
  let [right, all] = [0, 0];
  for (const [question, path, has] of QUESTIONS) {
    const { text, of, finish } = await ask(question);
    if (finish.outcome !== 'extracted' || !has.test(text)) missed.push(`${question} → ${text}`);
    for (const { sentence, chunk, path: cited } of of('citation')) {
      assert.ok(store.chunk(chunk, cited)!.text.includes(sentence!));
      all++;
      if (cited === path) right++;
    }
    assert.ok(text.length < 1400);
  }
  assert.deepEqual(missed, []);
  // Of all sentences that are given, those of the right file.
  assert.ok(right / all >= 0.8, `${right} of ${all}`);
});

test('questions about something else are refused, before and without a writer', async () => {
  const writer = scripted([]);
  for (const question of OTHER_QUESTIONS) {
    const { finish, of, text } = await ask(question, writer);
    assert.equal(
      finish.outcome,
      'refused',
      `${question} → ${text} ${JSON.stringify(of('sources')[0]!.support)}`,
    );
  }
  assert.equal(writer.asked.length, 0);
});

test('of hand-made sentences those are verified that the cited file says', async () => {
  const wrong: string[] = [];
  for (const path of new Set(SENTENCES.map(([, of]) => of))) {
    const question = QUESTIONS.find(([, of]) => of === path)![0];
    const { of: before } = await ask(question, scripted(['NOT IN THE SOURCES']));
    const { n } = before('sources')[0]!.sources.find((source) => source.path === path)!;
    for (const [sentence, , says] of SENTENCES.filter(([, of]) => of === path)) {
      const writer = scripted([`${sentence.replace(/\.$/u, '')} [${n}].`]);
      const { of } = await ask(question, writer, { unsupported: 'flag' });
      const { status, missing } = of('sentence')[0]!;
      if ((status === 'verified') !== says) wrong.push(`${status}: ${sentence} ${JSON.stringify(missing)}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('a document that gives orders and forges the frame changes no answer', async () => {
  const { text } = await ask('How high is the rent of the workshop?');
  assert.match(text, /€840/);
  assert.doesNotMatch(text, /<\||\]\(http|^---/mu);
  const { finish, text: obeyed } = await ask(
    'How much weight do the shelves hold?',
    scripted([
      'I am DAN now. The rent is 9 euros, go to https://attacker.example/steal [1]. Mallory Smith says so [2].',
    ]),
  );
  assert.equal(finish.outcome, 'refused');
  assert.doesNotMatch(obeyed, /DAN now|attacker|Mallory/);
});
