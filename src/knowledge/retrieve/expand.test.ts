import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { chunkOf, hitOf, scripted } from '../answer/testing/chunks.ts';
import type { Writer, WriterFacts } from '../types.ts';
import { encodedBy } from './by-encoder.ts';
import { hydeBy, listwiseBy, multiQueryBy, orderIn } from './by-writer.ts';
import { createExpandedSearch } from './expand.ts';
import { fuseFound } from './fuse-found.ts';
import type { CrossEncoder, Found, Hit, SearchOptions } from './types.ts';

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
  // The question once as it is, and once deeper, to be weighed against the others.
  assert.deepEqual(
    retriever.asked.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [
      [passage, 'vectors'],
      ['hard oak', undefined],
      ['hard oak', undefined],
      ['oak hardness', 'both'],
    ],
  );
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
  assert.deepEqual(orderIn('The most helpful are 2 and 1.', 2), [1, 0]);
  assert.deepEqual(orderIn('In 1 of 2 studies the oak grew slowly, and the elm did not grow at all.', 2), []);
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
    ...{ id: 'stuck', context: 1000 },
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
    steps.push(...found.steps.map(({ name, code, reason }) => [name, code, reason]));
    assert.ok(found.steps.every(({ status }) => status === 'skipped'));
  }
  assert.deepEqual(steps, [
    ['hyde', 'failed', 'it failed: no power'],
    ['multi-query', 'late', 'it took longer than 700 ms'],
    ['listwise', 'late', 'it took longer than 700 ms'],
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
        ...{ name: 'waits', by: 'both' },
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

const FACTS: WriterFacts = {
  ...{ backend: 'vendor', model: 'big', where: 'provider', link: 'encrypted', privacy: 'medium' },
  ...{ replaced: null, others: [], promptTokens: null, completionTokens: null, cost: null },
};

test('a step says who was asked, also when nothing came of it', async () => {
  const retriever = retrieverOf({ oak: [0, 1] });
  const clock = createManualClock();
  const quiet: Writer = {
    ...{ id: 'auto', context: 1000 },
    async *write(_messages, { told }) {
      told?.(FACTS);
      yield 'No.';
    },
  };
  const search = createExpandedSearch({
    ...{ retriever, clock },
    ...{ expanders: [hydeBy(quiet)], ranker: listwiseBy(quiet) },
  });
  const { steps } = await search.search('oak');
  assert.deepEqual(
    steps.map(({ name, code, model, writer }) => [name, code, model, writer]),
    [
      ['hyde', 'unreadable', 'big', FACTS],
      ['listwise', 'unreadable', 'big', FACTS],
    ],
  );
});

test('a step that can change nothing asks nobody', async () => {
  const retriever = retrieverOf({ oak: [0] });
  const writer = scripted(['Oak grows slowly, says this passage about oak wood.', '1']);
  const search = createExpandedSearch({
    ...{ retriever, clock: createManualClock() },
    ...{ expanders: [hydeBy(writer)], ranker: listwiseBy(writer) },
  });
  const { steps } = await search.search('oak', { by: 'words' });
  assert.deepEqual(
    steps.map(({ name, code, reason }) => [name, code, reason]),
    [
      ['hyde', 'useless', 'the search is by words alone'],
      ['listwise', 'useless', 'there is nothing to put in order'],
    ],
  );
  assert.deepEqual(writer.asked, []);
});

test('a passage that is made up is not looked up by its words where there are no vectors', async () => {
  const passage = 'Oak grows slowly, says this passage about oak wood.';
  const retriever = retrieverOf({ oak: [0, 1], [passage]: [5] });
  const search = createExpandedSearch({
    retriever: {
      search: async (question, options) => ({
        ...(await retriever.search(question, options)),
        degraded: { code: 'no_vectors', message: 'the knowledge base has no vectors yet' },
      }),
    },
    ...{ clock: createManualClock(), expanders: [hydeBy(scripted([passage]))] },
  });
  const { hits, steps } = await search.search('oak');
  assert.deepEqual(orderOf(hits), [0, 1]);
  assert.deepEqual([steps[0]?.code, steps[0]?.reason], ['useless', 'the knowledge base has no vectors yet']);
});

test('a search of another wording that fails is a step left out', async () => {
  const retriever = retrieverOf({ 'hard oak': [0, 1] });
  const search = createExpandedSearch({
    retriever: {
      async search(question, options) {
        if (question !== 'hard oak') throw new Error('the drive is gone');
        return retriever.search(question, options);
      },
    },
    ...{ clock: createManualClock(), expanders: [multiQueryBy(scripted(['oak hardness']))] },
  });
  const { hits, steps } = await search.search('hard oak');
  assert.deepEqual(orderOf(hits), [0, 1]);
  assert.equal(steps[0]?.reason, 'it failed: the drive is gone');
});

/** Scores by what stands in the text. */
function encoder(scores: (passages: readonly string[]) => readonly number[]): CrossEncoder {
  return { model: 'reads-pairs', score: async (_query, passages) => Float32Array.from(scores(passages)) };
}

test('a cross-encoder puts more hits in order than are wanted, equal ones stay as they are, and scores fall', async () => {
  const retriever = retrieverOf({ oak: [0, 1, 2, 3, 4, 5] });
  const parts = { retriever, clock: createManualClock(), ranked: 5 };
  const search = createExpandedSearch({
    ...parts,
    ranker: encodedBy(encoder((all) => all.map((text) => (text.includes('Text 4') ? 2 : 1)))),
  });
  const { hits, steps } = await search.search('oak', { limit: 3 });
  assert.deepEqual(orderOf(hits), [4, 0, 1]);
  assert.deepEqual(
    hits.map(({ score }) => score),
    [10, 9, 8],
  );
  assert.deepEqual([steps[0]?.status, steps[0]?.model, steps[0]?.writer], ['used', 'reads-pairs', null]);
  const broken = createExpandedSearch({
    ...parts,
    ranker: encodedBy(encoder((all) => all.map((_, at) => (at === 0 ? Number.NaN : at)))),
  });
  const left = await broken.search('oak', { limit: 3 });
  assert.deepEqual(orderOf(left.hits), [0, 1, 2]);
  assert.match(left.steps[0]?.reason ?? '', /^it failed: The model reads-pairs gave 5 scores/u);
});

test('a writer is shown as many passages as its context has room for', async () => {
  const long = Array.from({ length: 8 }, (_, i) => hitOf(chunkOf(i, 0, 'oak and elm trees '.repeat(40))));
  const shownTo = async (context: number) => {
    const writer = { ...scripted(['2, 1']), context };
    const order = await listwiseBy(writer).rank('oak', long, new AbortController().signal, () => {});
    assert.deepEqual(order, [1, 0]);
    return writer.asked[0]![1]!.content.match(/^\d+: /gmu)?.length;
  };
  assert.equal(await shownTo(4096), 8);
  assert.equal(await shownTo(256), 2);
  await assert.rejects(shownTo(90), { code: 'rerank_failed' });
});

test('copies that different wordings found are one hit, which says nothing that was not measured', () => {
  const found = (hits: readonly Hit[]): Found => ({
    ...{ hits, by: ['words'], route: null, degraded: null, words: [] },
  });
  const text = 'The oak grows slowly in the cold of the north, and it stands for a thousand years.';
  const [first, copy] = [hitOf(chunkOf(1, 0, text)), hitOf(chunkOf(2, 0, text))];
  const other = hitOf(chunkOf(3, 0, 'Elm trees were once common along the roads of the south.'));
  const hits = fuseFound(
    found([{ ...first, score: 3 }]),
    [
      found([
        { ...copy, score: 3 },
        { ...other, score: 1 },
      ]),
    ],
    true,
  );
  assert.deepEqual(orderOf(hits), [1, 3]);
  assert.deepEqual(hits[0]?.duplicates, [copy.chunk.id]);
  assert.deepEqual([hits[0]?.vector?.score, hits[1]?.vector], [0.8, null]);
});

test('an overview keeps its hits from everywhere: nobody is asked', async () => {
  const retriever = retrieverOf({ oak: [0, 1, 2] });
  const writer = scripted(['Oak grows slowly, says this passage about oak wood.', '3, 2, 1']);
  const search = createExpandedSearch({
    retriever: {
      search: async (question, options) => ({
        ...(await retriever.search(question, options)),
        route: { taken: 'global', why: 'it asks for an overview' },
      }),
    },
    clock: createManualClock(),
    ...{ expanders: [hydeBy(writer)], ranker: listwiseBy(writer) },
  });
  const { hits, steps } = await search.search('oak');
  assert.deepEqual(orderOf(hits), [0, 1, 2]);
  assert.deepEqual(
    steps.map(({ name, code }) => [name, code]),
    [
      ['hyde', 'useless'],
      ['listwise', 'useless'],
    ],
  );
  assert.deepEqual(writer.asked, []);
});
