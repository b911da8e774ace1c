/**
 * What documents name, and how they hang together by it: made without any model.
 *
 * @module knowledge/graph
 */
export { type FollowingGraph, followGraph, type Graph, type GraphStore } from './follow.ts';
export { mentionsOf } from './mentions.ts';
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
export { type Route, routeOf } from './route.ts';
