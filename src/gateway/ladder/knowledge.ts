/**
 * Passages of the owner's own knowledge in place of an answer.
 *
 * @module gateway/ladder/knowledge
 */
import type { SearchAdapter, SearchPlace } from './types.ts';

export interface Passage {
  /** Of the document. */
  readonly title: string;
  readonly text: string;
  /** Where it can be opened; null when nowhere. */
  readonly url: string | null;
}

/** What a knowledge base implements to be asked when no backend answers. */
export interface KnowledgeSource {
  /** As for an adapter. @default 'knowledge' */
  readonly name?: string;
  /** @default this machine */
  readonly destination?: SearchPlace;
  /** Passages that answer the question, best first; none when it has none. */
  find(
    question: string,
    options: { readonly limit: number; readonly locale: string | null; readonly signal: AbortSignal },
  ): Promise<readonly Passage[]>;
}

const LIMIT = 5;

export function createKnowledgeAdapter(source: KnowledgeSource): SearchAdapter {
  return {
    name: source.name ?? 'knowledge',
    destination: source.destination ?? { kind: 'this_machine' },
    async search(question, { locale, signal }) {
      const passages = await source.find(question, { limit: LIMIT, locale, signal });
      return passages.length === 0 ? null : { text: null, sources: passages.slice(0, LIMIT) };
    },
  };
}
