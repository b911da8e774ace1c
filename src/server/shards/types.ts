/**
 * What the routes of sharded inference answer, and what they are given to answer from: one part for each topic, in a file
 * of its own.
 *
 * @module server/shards/types
 */

import type { CoverageDesk } from './coverage.ts';
import type { PathsDesk } from './paths.ts';
import type { WorkDesk } from './receipts.ts';
import type { ServingDesk } from './serving.ts';
import type { WeightsDesk } from './weights.ts';

export type {
  Blocks,
  CalibrationsView,
  CalibrationView,
  CoverageDesk,
  CoverageListView,
  CoverageView,
  ProposalView,
  ShardPeerView,
  StretchView,
  WayView,
} from './coverage.ts';
export type * from './paths.ts';
export type { WorkDesk, WorkReceiptView, WorkTotalView, WorkView, WorkViewQuery } from './receipts.ts';
export type {
  AnnouncedBlocks,
  LookView,
  RebalancingView,
  ServedState,
  ServedView,
  ServeRequest,
  ServingDesk,
  ServingView,
  ShardSessionView,
  StopRequest,
} from './serving.ts';
export type { FetchedWeights, WeightsDesk, WeightsEvent, WeightsIo, WeightsRequest } from './weights.ts';

export interface ShardDesk {
  readonly coverage: CoverageDesk;
  readonly paths: PathsDesk;
  readonly work: WorkDesk;
  readonly serving: ServingDesk;
  readonly weights: WeightsDesk;
}
