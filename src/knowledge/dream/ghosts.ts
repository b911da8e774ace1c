/**
 * Names that are probably none: common words with a capital where a sentence begins, which nothing else holds for a name. They stay,
 * and only count less when the graph is walked: paths that were cut away cost more than they seem to.
 *
 * @module knowledge/dream/ghosts
 */
import type { Graph } from '../graph/index.ts';
import { normalForm } from '../graph/normal.ts';
import { wordsIn } from '../graph/words.ts';
import type { KnowledgeStore, NewAssertion } from '../store/index.ts';

/** Words of a knowledge base in small letters that are remembered. */
const MOST_WORDS = 500_000;
/** A mention that is so sure is of a name. */
const SURE = 0.6;
const WEIGHT = '0.2';
/** Passages of a name that are looked at: what is in more is no accident. */
const MOST_CHUNKS = 3;
const SLICE = 256;

/** Words that texts have in small letters. */
export class LowerWords {
  readonly #words = new Set<string>();

  add(text: string): void {
    if (this.#words.size >= MOST_WORDS) return;
    for (const { text: word } of wordsIn(text)) if (/^\p{Ll}/u.test(word)) this.#words.add(word);
  }

  has(word: string): boolean {
    return this.#words.has(word);
  }
}

/** What counts less from now on; null now and then, for others to get their turn. */
export function* ghostsOf(
  store: Pick<KnowledgeStore, 'chunks' | 'mentions'>,
  { network }: Pick<Graph, 'network'>,
  words: LowerWords,
): Generator<Pick<
  NewAssertion,
  'subject' | 'property' | 'value' | 'evidence' | 'reason' | 'confidence'
> | null> {
  const { start, to } = network.fromEntities;
  let count = 0;
  for (let entity = 0; entity < network.frequency.length; entity++) {
    const frequency = network.frequency[entity]!;
    if (frequency === 0 || frequency > MOST_CHUNKS || network.ownOf(entity).length > 0) continue;
    const form = network.nameOf(entity);
    if (form.includes(' ') || !words.has(form)) continue;
    if (++count % SLICE === 0) yield null;
    const rows = [...to.subarray(start[entity]!, start[entity + 1]!)].map((chunk) => network.rows[chunk]!);
    const mentions = store.mentions(rows).filter(({ surface }) => normalForm(surface) === form);
    const first = mentions[0];
    if (first === undefined || first.span === null) continue;
    if (mentions.some(({ extractor, confidence }) => extractor !== 'name' || confidence >= SURE)) continue;
    const chunk = store.chunks([first.row])[0];
    if (chunk == null) continue;
    yield {
      ...{ subject: form, property: 'weight', value: WEIGHT, confidence: 0.7 },
      reason: 'a common word where a sentence begins',
      evidence: { chunk: chunk.id, sentence: around(chunk.text, first.span[0]) },
    };
  }
}

function around(text: string, at: number): string {
  return text.slice(at, at + 120).toWellFormed();
}
