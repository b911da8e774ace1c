/**
 * What documents name, and how they hang together by it: made without any model.
 *
 * @module knowledge/graph
 */
export {
  type Communities,
  type CommunityOptions,
  communitiesOf,
  tellingOf,
  weightiest,
} from './communities.ts';
export { datesIn, dayText, isDate, type Precision, propertyDates, spanOf, type When } from './dates.ts';
export { type FollowingGraph, followGraph, type Graph, type GraphStore, inForce } from './follow.ts';
export { type FollowingFacts, followFacts } from './follow-facts.ts';
export { wordFormsOf } from './gazetteer.ts';
export { louvain, modularityOf } from './louvain.ts';
export { mentionsOf } from './mentions.ts';
export type { NameFacts } from './name-facts.ts';
export { type Name, namesIn } from './names.ts';
export type { Network, Weights } from './network.ts';
export { normalForm } from './normal.ts';
export { type Walked, type WalkOptions, walk } from './ppr.ts';
export { type MergeProposal, proposeMerges } from './propose.ts';
export {
  type Candidates,
  graphScore,
  type Named,
  namedIn,
  ownRows,
  reached,
  seedsOf,
  throughOf,
} from './rank.ts';
export { asksForAll, type Route, routeOf } from './route.ts';
export { cleanName, isGeneric } from './structure.ts';
export { type Passage, type Theme, themesOf } from './themes.ts';
export { type Tie, type Ties, tiesAmong, tiesOf } from './ties.ts';
export { isNational } from './type-words.ts';
