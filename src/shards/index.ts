/**
 * The shards room: one model over several nodes. Serves blocks to peers, and runs paths through peers that serve them.
 *
 * @module shards
 */

export { createAuditor } from './audit/auditor.ts';
export type { AuditFigures } from './audit/budget.ts';
export type { AuditedPath, Auditor, AuditorOptions, Verdict, VerdictKind } from './audit/types.ts';
export { openCircuits } from './circuits/circuits.ts';
export type {
  CircuitFigures,
  CircuitLimits,
  CircuitLoss,
  CircuitModel,
  CircuitOrder,
  CircuitRequest,
  Circuits,
  CircuitsOptions,
  CircuitUse,
  CircuitView,
  CircuitWish,
  PathChoice,
  PathQuery,
  Via,
} from './circuits/types.ts';
export { answerNeeds, type NeedAnswerOptions } from './need/answer.ts';
export { askForBlocks, type NeedAskOptions, type NeedCandidate } from './need/ask.ts';
export type { Need } from './need/wire.ts';
export type { ShardOffer } from './path/hop.ts';
export { openPath } from './path/path.ts';
export type { Path, PathEvent, PathLimits, PathObserver, PathOptions } from './path/types.ts';
export { type WaysBetween, waysBetween } from './plan/between.ts';
export { isPath, type PlanQuery, planThrough, shardCandidates } from './plan/candidates.ts';
export {
  bytesOf,
  type Choice,
  type ChooseRequest,
  chooseRange,
  type ModelShape,
  type NodeMeans,
  spanText,
} from './plan/choose.ts';
export {
  gapsIn,
  type NoPath,
  type PathPlan,
  type PlannedShard,
  type PlanRequest,
  planPath,
  planSecond,
  planSubstitute,
  type ShardCandidate,
} from './plan/plan.ts';
export {
  afterFetch,
  considerMove,
  type Decision,
  NO_MEMORY,
  REBALANCE_LIMITS,
  type RebalanceLimits,
  type RebalanceMemory,
  type RebalanceRequest,
} from './plan/rebalance.ts';
export { type KvType, roughShape, shapeOfHeader, shapeOfList } from './plan/shape.ts';
export {
  blockRates,
  rateOf,
  type ServedBlocks,
  type Strength,
  strengthOf,
  UNKNOWN_BLOCK_MS,
} from './plan/strength.ts';
export {
  type Admission,
  type AdmissionBounds,
  type Admitted,
  createAdmission,
  type Grant,
  type Rank,
  rankOf,
} from './serve/admission.ts';
export {
  type LoadedShard,
  type ShardService,
  type ShardServiceOptions,
  serveShards,
} from './serve/service.ts';
export type { ActivationType, BlockSpan } from './types.ts';
export { ACTIVATION_TYPES } from './types.ts';
export { type PeerWeightsOptions, peerWeights, type WeightPeer } from './weights/provider.ts';
export { serveWeights, type WeightService, type WeightServiceOptions } from './weights/serve.ts';
export type { Opening } from './wire/messages.ts';
export { openWorkBook, type WorkBook, type WorkBookOptions } from './work/book.ts';
export {
  type CheckedExport,
  type CheckedWork,
  checkExport,
  EXPORT_BOUNDS,
  type ExportedWork,
  readExport,
} from './work/exported.ts';
export { nameOf as nameOfWork, type WorkFacts } from './work/receipt.ts';
export type { WorkSide, WorkState } from './work/schema.ts';
export type { KeptWork, WorkQuery } from './work/store.ts';
export type { WorkTotal } from './work/totals.ts';
