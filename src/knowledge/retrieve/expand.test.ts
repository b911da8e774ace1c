import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { chunkOf, hitOf, scripted } from '../answer/testing/chunks.ts';
import type { Writer } from '../types.ts';
import { hydeBy, listwiseBy, multiQueryBy, orderIn } from './by-writer.ts';
import { createExpandedSearch } from './expand.ts';
import type { Found, Hit, SearchOptions } from './retriever.ts';

const CHUNKS = Array.from({ length: 6 }, (_, i) => chunkOf(i, 0, `Text ${i} about oak and elm trees.`));

/** Gives these chunks for a text, best first. */
function retrieverOf(answers: Readonly<Record<string, readonly number[]>>) {
  const asked: [text: string, by: SearchOptions['by']][] = [];
  return {
    asked,
    async search(question: string, options: SearchOptions = {}): Promise<Found> {
      asked.push([question, options.by]);
      const hits = (answers[question] ?? []).map(
        (at, rank): Hit => ({ ...hitOf(CHUNKS[at]!), score: 10 - rank }),
      );
      const rest = { by: ['words'], words: [], degraded: null } as const;
      return { ...rest, hits: hits.slice(0, options.limit ?? 10) } as unknown as Found;
    },
  };
}
const orderOf = (hits: readonly Hit[]) => hits.map(({ chunk }) => chunk.document);

test('other wordings and a passage that might answer bring what the question alone does not find', async () => {
  const passage = 'Oak grows slowly, says this passage about oak wood.';
  const retriever = retrieverOf({ 'hard oak': [0, 1, 2], 'oak hardness': [3, 0, 1], [passage]: [4, 0, 5] });
  const search = createExpandedSearch({
    ...{ retriever, clock: createManualClock() },
    expanders: [multiQueryBy(scripted(['Sure:\n1. oak hardness\n2. hard oak'])), hydeBy(scripted([passage]))],
  });
  const { hits, steps } = await search.search('hard oak', { limit: 5 });
  assert.deepEqual(retriever.asked, [
    ['hard oak', undefined],
    ['oak hardness', 'both'],
    [passage, 'vectors'],
  ]);
  assert.equal(orderOf(hits)[0], 0);
  assert.ok(orderOf(hits).includes(3) && orderOf(hits).includes(4));
  assert.deepEqual(
    steps.map(({ name, status }) => [name, status]),
    [
      ['multi-query', 'used'],
      ['hyde', 'used'],
    ],
  );
});

test('a writer puts hits in order, names each once, and cannot lose one', async () => {
  const retriever = retrieverOf({ oak: [0, 1, 2, 3] });
  const clock = createManualClock();
  const by = async (text: string) => {
    const search = createExpandedSearch({ retriever, clock, ranker: listwiseBy(scripted([text])) });
    const { hits, steps } = await search.search('oak');
    return [orderOf(hits), steps[0]!.status, steps[0]!.reason];
  };
  assert.deepEqual(await by('3, 1, 3, 99'), [[2, 0, 1, 3], 'used', null]);
  assert.deepEqual(await by('I cannot say.'), [[0, 1, 2, 3], 'skipped', 'no order came']);
  assert.deepEqual(orderIn('[2] > [1] > [0]', 2), [1, 0]);
});

test('what takes too long or fails is skipped, and the result says so', async () => {
  const retriever = retrieverOf({ oak: [0, 1] });
  const clock = createManualClock();
  const failing: Writer = {
    ...{ id: 'fails', context: 100 },
    // biome-ignore lint/correctness/useYield: it fails before
    async *write() {
      throw new Error('no power');
    },
  };
  const stuck: Writer = {
    ...{ id: 'stuck', context: 100 },
    async *write(_messages, { signal }) {
      void clock.advance(700);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const times = { retriever, clock, expandMs: 700, rankMs: 700 };
  const failed = createExpandedSearch({ ...times, expanders: [hydeBy(failing)] });
  const slow = createExpandedSearch({
    ...times,
    expanders: [multiQueryBy(stuck)],
    ranker: listwiseBy(stuck),
  });
  const steps = [];
  for (const search of [failed, slow]) {
    const found = await search.search('oak');
    assert.deepEqual(orderOf(found.hits), [0, 1]);
    steps.push(...found.steps.map(({ name, status, reason }) => [name, status, reason]));
  }
  assert.deepEqual(steps, [
    ['hyde', 'skipped', 'it failed: no power'],
    ['multi-query', 'skipped', 'it took longer than 700 ms'],
    ['listwise', 'skipped', 'it took longer than 700 ms'],
  ]);
});

test('the caller who gives up gets his reason, not a skip', async () => {
  const retriever = retrieverOf({ oak: [0, 1] });
  const caller = new AbortController();
  const clock = createManualClock();
  const search = createExpandedSearch({
    ...{ retriever, clock },
    expanders: [
      {
        name: 'waits',
        expand: async (_question, signal) => {
          caller.abort(new Error('gone'));
          signal.throwIfAborted();
          return [];
        },
      },
    ],
  });
  await assert.rejects(search.search('oak', { signal: caller.signal }), /gone/u);
  assert.equal(clock.sleeping, 0);
});
