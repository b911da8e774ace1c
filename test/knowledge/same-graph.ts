/**
 * Two knowledge bases of the same documents: what is derived of them, whichever way each came about.
 *
 * @module test/knowledge/same-graph
 */
import assert from 'node:assert/strict';
import {
  communitiesOf,
  createRetriever,
  type Embedder,
  type FollowingFacts,
  followFacts,
  followGraph,
  type KnowledgeStore,
  type Retriever,
  type SearchOptions,
  tiesOf,
  weightiest,
} from '../../src/knowledge/index.ts';

/** A store with all that follows it in memory. */
export interface Derived extends AsyncDisposable {
  readonly store: KnowledgeStore;
  readonly graph: ReturnType<typeof followGraph>;
  readonly facts: FollowingFacts;
  readonly retriever: Retriever;
}

/** @param embedder null: searches are by words and over the graph */
export function derive(store: KnowledgeStore, embedder: Embedder | null): Derived {
  const graph = followGraph(store);
  const retriever = createRetriever({ store, embedder, graph });
  return {
    ...{ store, graph, retriever, facts: followFacts(store) },
    [Symbol.asyncDispose]: () => retriever[Symbol.asyncDispose](),
  };
}

/** Sums are taken in the order of rows, which is another one: so that their last bits may differ. */
const rounded = (value: number): string => value.toPrecision(9);

/** Entities whose ties are compared. */
const MOST_TIED = 150;

/** The network with rows and numbers of entities put as what they stand for. */
async function graphOf({ store, graph }: Derived) {
  const { network } = await graph.current();
  const { fromChunks, fromEntities, sentences, rows, frequency } = network;
  const placeOf = (row: number): string => {
    const [chunk] = store.chunks([row]);
    assert.ok(chunk, `the graph names row ${row}, which is not in the store`);
    return `${chunk.path}#${chunk.position}`;
  };
  const places = Array.from(rows, placeOf);
  const named = weightiest(network, () => true);
  const edges: string[] = [];
  for (const [chunk, place] of places.entries())
    for (let i = fromChunks.start[chunk]!; i < fromChunks.start[chunk + 1]!; i++)
      edges.push(`${place} -> ${network.nameOf(fromChunks.to[i]!)} ${rounded(fromChunks.weight[i]!)}`);
  for (const entity of named)
    for (let i = fromEntities.start[entity]!; i < fromEntities.start[entity + 1]!; i++)
      edges.push(
        `${network.nameOf(entity)} -> ${places[fromEntities.to[i]!]} ${rounded(fromEntities.weight[i]!)}`,
      );
  const said: string[] = [];
  for (let at = 0; at + 1 < sentences.begin.length; at++)
    said.push(
      Array.from(sentences.names.subarray(sentences.begin[at]!, sentences.begin[at + 1]!), network.nameOf)
        .sort()
        .join(' | '),
    );
  const { members, modularity } = await communitiesOf(network);
  return {
    names: named.map((entity) => [network.nameOf(entity), frequency[entity], network.ownOf(entity).length]),
    edges: edges.sort(),
    sentences: said.sort(),
    ties: named.slice(0, MOST_TIED).map((entity) => [
      network.nameOf(entity),
      tiesOf(network, entity)
        .map((tie) => `${network.nameOf(tie.entity)} ${rounded(tie.weight)} ${tie.shared}`)
        .sort(),
    ]),
    communities: members.map((group) => group.map(network.nameOf).sort()),
    modularity: rounded(modularity),
  };
}

async function factsOf({ graph, facts }: Derived) {
  const { network } = await graph.current();
  const known = await facts.current();
  return weightiest(network, () => true).map((entity) => {
    const form = network.nameOf(entity);
    return [form, known.writtenAs(form), known.typeOf([form])];
  });
}

/** Ids and scores, best first; ids of equal scores in their own order, and without the last score, which others may share. */
async function hitsOf({ retriever }: Derived, question: string, options: SearchOptions): Promise<string[]> {
  const { hits } = await retriever.search(question, { ...options, limit: 60, dropDuplicates: false });
  const scored = hits.map(({ chunk, score }) => ({ id: `${chunk.id} ${chunk.path}`, score: rounded(score) }));
  const last = scored.length < 60 ? null : scored.at(-1)?.score;
  const groups = new Map<string, string[]>();
  for (const { id, score } of scored)
    if (score !== last) groups.set(score, [...(groups.get(score) ?? []), id]);
  return [...groups].flatMap(([score, ids]) => ids.sort().map((id) => `${score} ${id}`));
}

/** The best over the graph. Of texts that are there several times walks begin at the one that was put first: so no scores. */
async function nearOf({ retriever }: Derived, question: string): Promise<string[]> {
  const { hits } = await retriever.search(question, { by: 'graph', limit: 20 });
  return hits.map(({ chunk }) => chunk.id);
}

/** @returns how many names, edges and hits were compared */
export async function assertSameDerived(
  a: Derived,
  b: Derived,
  questions: readonly string[],
  ways: readonly NonNullable<SearchOptions['by']>[],
): Promise<{ readonly names: number; readonly edges: number; readonly hits: number }> {
  const [left, right] = [await graphOf(a), await graphOf(b)];
  assert.deepEqual(left.names, right.names);
  assert.deepEqual(left.edges, right.edges);
  assert.deepEqual(left.sentences, right.sentences);
  assert.deepEqual(left.ties, right.ties);
  assert.deepEqual([left.communities, left.modularity], [right.communities, right.modularity]);
  assert.deepEqual(await factsOf(a), await factsOf(b));
  let hits = 0;
  for (const by of ways)
    for (const question of questions) {
      if (by === 'graph') {
        const [one, other] = [await nearOf(a, question), await nearOf(b, question)];
        assert.deepEqual(one.slice(0, 2), other.slice(0, 2), question);
        const both = one.filter((id) => other.includes(id)).length;
        assert.ok(both >= 0.8 * Math.max(one.length, other.length), `${question}: ${both} of ${one.length}`);
        hits += one.length;
        continue;
      }
      const [one, other] = [await hitsOf(a, question, { by }), await hitsOf(b, question, { by })];
      assert.deepEqual(one, other, `${by}: ${question}`);
      hits += one.length;
    }
  return { names: left.names.length, edges: left.edges.length, hits };
}
