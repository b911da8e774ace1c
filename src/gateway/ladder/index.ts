/**
 * The ladder's lower steps: what stands in when no backend answers. Search adapters in the owner's order, an explanation
 * in the reader's language, numbers to call for somebody in danger.
 *
 * In: the request, why it failed, its privacy level. Out: a text whose first line says that no model wrote it, or null. It
 * never passes a question to where the privacy level forbids, and never throws for a failing adapter.
 *
 * @example
 * await using ladder = createLadder({
 *   adapters: [createArithmetic(), createSearxng({ baseUrl: 'http://127.0.0.1:8888', clock })],
 *   clock,
 *   log,
 * });
 * const standIn = (await ladder.search(request, distress)) ?? ladder.explain(request, distress);
 *
 * @module gateway/ladder
 */
export { createArithmetic } from './arithmetic/index.ts';
export { createKnowledgeAdapter, type KnowledgeSource, type Passage } from './knowledge.ts';
export { createLadder, type LadderOptions } from './ladder.ts';
export { createSearxng, type SearxngOptions } from './searxng.ts';
export type {
  Distress,
  Ladder,
  SearchAdapter,
  SearchFinding,
  SearchOptions,
  SearchPlace,
  SearchSource,
  StandIn,
} from './types.ts';
