/**
 * What a model reads out of passages: one call a passage, those first whose names have the most to gain. A passage that a model has
 * read is noted in the store with what was taken over, in one transaction: a run that goes on, or another one, asks about others.
 *
 * @module knowledge/dream/ask
 */
import { type Clock, throwIfAborted } from '../../base/index.ts';
import type { FollowingGraph } from '../graph/index.ts';
import type { KnowledgeStore, StoredChunk } from '../store/index.ts';
import type { Extractor } from '../types.ts';
import { checkReading, questionOf } from './reading.ts';
import { byGain, matters, readFacts } from './score.ts';

export interface AskParts {
  readonly store: KnowledgeStore;
  readonly graph: FollowingGraph;
  readonly clock: Pick<Clock, 'now'>;
  readonly extractor: Extractor;
  readonly signal: AbortSignal;
}

export interface Asked {
  readonly chunk: string;
  /** Values that stood up to the checks, and those that did not. */
  readonly kept: number;
  readonly refused: number;
}

/** Grows when passages are asked about in another way: then they are read again. */
const RECIPE = 1;
/** Passages of one name that are read. */
const PER_NAME = 3;
const ANSWER_TOKENS = 600;

/** @throws whatever the extractor throws */
export async function* askModel(
  { store, graph, clock, extractor, signal }: AskParts,
  run: number,
  calls: number,
): AsyncGenerator<Asked> {
  const by = `${extractor.id}#${RECIPE}`;
  const current = await graph.current();
  let left = calls;
  for (const chunk of wanted(store, current, by)) {
    if (left <= 0) return;
    const question = questionOf(chunk, store.mentions([chunk.row]), (form) => {
      const entity = current.network.entityOf(form);
      return entity >= 0 && matters(current, entity);
    });
    let kept = 0;
    let refused = 0;
    if (question === null) {
      store.noteReading({ chunk: chunk.id, by, run, kept, refused, at: clock.now() }, []);
      continue;
    }
    left--;
    const text = await extractor.extract(question.messages, question.schema, {
      ...{ maxTokens: Math.min(ANSWER_TOKENS, Math.floor(extractor.context / 3)), temperature: 0, signal },
    });
    throwIfAborted(signal);
    const checked = checkReading(text, question);
    kept = checked.found.length;
    refused = checked.refused.length;
    store.noteReading(
      { chunk: chunk.id, by, run, kept, refused, at: clock.now() },
      checked.found.map((found) => ({
        ...found,
        ...({ by: 'model', model: extractor.id, run, made: clock.now(), confidence: 0.7 } as const),
      })),
    );
    yield { chunk: chunk.id, kept, refused };
  }
}

/** Whether there is a passage that this model has not read, of a name that lacks something. */
export async function hasUnread({
  store,
  graph,
  extractor,
}: Pick<AskParts, 'store' | 'graph' | 'extractor'>): Promise<boolean> {
  const [first] = wanted(store, await graph.current(), `${extractor.id}#${RECIPE}`).take(1);
  return first !== undefined;
}

/** Passages of the names with the most to gain that nobody read so: their own first, then those that name them. */
function* wanted(
  store: KnowledgeStore,
  current: Awaited<ReturnType<FollowingGraph['current']>>,
  by: string,
): Generator<StoredChunk> {
  const { network } = current;
  const seen = new Set<string>();
  const names = byGain(current, readFacts(store, current), (keys) => store.asked(keys));
  for (const { key, gain } of names) {
    if (gain <= 0) return;
    const entity = network.entityOf(key);
    const { start, to } = network.fromEntities;
    const naming = [...to.subarray(start[entity]!, Math.min(start[entity + 1]!, start[entity]! + 50))].map(
      (chunk) => network.rows[chunk]!,
    );
    const rows = [...new Set([...network.ownOf(entity).slice(0, PER_NAME), ...naming])].slice(0, PER_NAME);
    const chunks = store.chunks(rows).filter((chunk) => chunk !== null);
    const read = store.readBy(
      chunks.map(({ id }) => id),
      by,
    );
    for (const chunk of chunks) {
      if (seen.has(chunk.id) || read.has(chunk.id)) continue;
      seen.add(chunk.id);
      yield chunk;
    }
  }
}
