import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, silentLogger } from '../../base/index.ts';
import { type AnswerEvent, openKnowledgeStore, type SearchStep } from '../../knowledge/index.ts';
import type { AnswerQuery } from '../../server/index.ts';
import { answerAgain } from './cache.ts';

const figures = {
  ...{ sentences: 1, cited: 1, verified: 1, unsupported: 0, leftOut: 0, removedCitations: 0 },
};
const looked: AnswerEvent = {
  ...{
    type: 'sources',
    question: 'Q',
    rewrittenBy: null,
    sources: [],
    by: ['words'],
    route: null,
    steps: [],
  },
  support: { enough: true, coverage: 1, cosine: null, margin: null, missing: [] },
};
const text: AnswerEvent = { type: 'text', text: 'It ends in May [1].' };
const finish = (outcome: 'written' | 'refused', verified = 1): AnswerEvent => ({
  ...{ type: 'finish', outcome, reason: null, figures: { ...figures, verified } },
});
const query: AnswerQuery = { question: 'When does the lease end?', history: [], mode: 'auto' };

/** Answers of a knowledge base whose maker counts how often it is asked. */
function open(cache: 'same' | 'similar' | 'off' = 'same') {
  const store = openKnowledgeStore({ path: ':memory:' });
  const clock = createManualClock(1000);
  const knowledge = { cache, expand: [], rerank: 'none', stepMs: 1000 };
  const parts = { config: { knowledge }, clock, log: silentLogger };
  const kb = {
    store,
    embedder: { embed: () => Promise.reject(new Error('no question needs a vector')) },
    graph: { current: () => Promise.reject(new Error('no question needs the graph')) },
  };
  let made = 0;
  return {
    ...{ store, clock },
    made: () => made,
    async ask(events: readonly AnswerEvent[], more: Partial<AnswerQuery> = {}, writer: string | null = null) {
      const given: AnswerEvent[] = [];
      const make = async function* () {
        made++;
        yield* events;
      };
      const all = answerAgain(
        parts as unknown as Parameters<typeof answerAgain>[0],
        kb as unknown as Parameters<typeof answerAgain>[1],
        ...([{ ...query, ...more }, writer, new AbortController().signal, make] as const),
      );
      for await (const event of all) given.push(event);
      return given;
    },
    [Symbol.dispose]: () => store.close(),
  };
}

test('a verified answer is given again with its age, and made anew for other options, writers and histories', async () => {
  using kb = open();
  const events = [looked, text, finish('written')];
  assert.deepEqual(await kb.ask(events), events);
  kb.clock.advance(60_000);
  const again = await kb.ask([]);
  assert.deepEqual(again.slice(0, -1), events.slice(0, -1));
  assert.deepEqual(again.at(-1), { ...finish('written'), cached: { ageMs: 60_000, similarity: 1 } });
  assert.equal(kb.made(), 1);
  await kb.ask(events, { k: 3 });
  await kb.ask(events, { filter: { tags: ['a'] } });
  await kb.ask(events, { history: [{ question: 'a', answer: 'b' }] });
  await kb.ask(events, {}, 'auto');
  await kb.ask(events, { fresh: true });
  await kb.ask(events, { rerank: 'listwise' });
  assert.equal(kb.made(), 7);
});

test('what is refused, cut, short of a writer or not verified is not kept', async () => {
  using kb = open();
  const unsupported: AnswerEvent = {
    ...{ type: 'sentence', text: 'x', status: 'unsupported', missing: [], given: true },
  };
  const late: SearchStep = {
    ...{ name: 'hyde', status: 'skipped', code: 'late', reason: 'x', ms: 1 },
    ...{ model: null, writer: null },
  };
  for (const events of [
    [looked, text, finish('refused')],
    [looked, text, finish('written', 0)],
    [looked, unsupported, finish('written')],
    [looked, { type: 'warning', code: 'answer_cut', message: 'x' }, finish('written')],
    [looked, { type: 'warning', code: 'search_degraded', message: 'x' }, finish('written')],
    [{ ...looked, steps: [late] }, text, finish('written')],
    [looked, text],
  ] as const)
    await kb.ask(events);
  assert.equal(kb.made(), 7);
  assert.equal(kb.store.kept.figures(kb.clock.now(), 1e9).answers, 0);
});

test('what stands in the file in the place of an answer is not given', async () => {
  using kb = open();
  const events = [looked, text, finish('written')];
  await kb.ask(events);
  for (const value of ['', '{', '[]', 'null', '[null]', '{"type":"finish"}', '[{"type":"finish"}]']) {
    const { take } = kb.store.kept;
    Object.assign(kb.store.kept, { take: () => value });
    assert.deepEqual(await kb.ask(events), events, value);
    Object.assign(kb.store.kept, { take });
  }
});

test('with the setting off nothing is kept', async () => {
  using kb = open('off');
  await kb.ask([looked, text, finish('written')]);
  await kb.ask([looked, text, finish('written')]);
  assert.equal(kb.made(), 2);
  assert.equal(kb.store.kept.figures(kb.clock.now(), 1e9).answers, 0);
});
