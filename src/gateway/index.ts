/**
 * The gateway room: takes a request for text or embeddings, chooses the backend that answers it, and hands back
 * events and a receipt. It never speaks HTTP to clients and never touches native code.
 *
 * @module gateway
 * @example
 * const local = createLocalBackend({ engine, models, ... });
 * await using gateway = createGateway({ providers: [localProvider(local)], clock, random, log });
 * for await (const event of gateway.chat(request)) if (event.type === 'text') write(event.text);
 */
export {
  type Budget,
  type BudgetState,
  createLedger,
  GROUPINGS,
  type Grouping,
  type Ledger,
  type Period,
  REPORT_ROWS,
  type ReportQuery,
  readReport,
  type UsageReport,
  type UsageRow,
  type UsageSums,
} from './accounting/index.ts';
export {
  type AnthropicBackendOptions,
  createAnthropicBackend,
  createOpenAiBackend,
  type OpenAiBackendOptions,
  type RemoteOptions,
  SERVER_KINDS,
} from './backends/index.ts';
export {
  createPathBackend,
  FORCE_PATH,
  type OfferedModel,
  type PathBackendOptions,
  type PathProviderOptions,
  pathProvider,
} from './backends/paths/index.ts';
export {
  createPeerBackend,
  type PeerBackend,
  type PeerBackendOptions,
  type PeerProviderOptions,
  type PeerReceipt,
  type PeerStanding,
  peerProvider,
} from './backends/peer/index.ts';
export {
  type AnswerCache,
  type AnswerStore,
  anchorsOf,
  type CacheStats,
  createAnswerCache,
  createRedisStore,
  createSqliteStore,
  DEFAULT_THRESHOLDS,
  intentOf,
  questionText,
  withoutPoliteness,
} from './cache/index.ts';
export {
  CHECKS,
  type CheckName,
  type CheckResult,
  type CheckState,
  type CheckupOptions,
  checkBackend,
  type ServerAddress,
} from './checkup/index.ts';
export { createGateway, type Gateway, type RouteExplanation } from './gateway.ts';
export { createArithmetic, createLadder, createSearxng, type Ladder } from './ladder/index.ts';
export { createLocalBackend, type LocalBackend, type LocalBackendOptions } from './local.ts';
export { localProvider } from './local-provider.ts';
export type { AgentPolicy, GatewayOptions, GatewayProvider, OwnerPolicy } from './options.ts';
export {
  isOpen,
  type LeaseReport,
  openReceipts,
  PEER_METHODS,
  type PeerService,
  type PeerServiceOptions,
  type ReceiptFacts,
  type ReceiptQuery,
  type Receipts,
  type ReceiptWay,
  SERVE_NOBODY,
  type ServingPolicy,
  type SignedReceipt,
  servePeers,
} from './peers/index.ts';
export { type ModelAlias, modelAliases } from './policy/index.ts';
export {
  BUILT_IN_DETECTORS,
  Conversation,
  createPatternDetector,
  mayGoTo,
  PRIVACY_LEVELS,
  type PrivacyLevel,
  strictest,
} from './privacy/index.ts';
export { type ChatShape, type Relaying, type RelayReader, scanChat } from './relay/index.ts';
export type { BackendReport } from './reports.ts';
export { type AttemptRecord, limitsFor, type TimeLimits } from './resilience/index.ts';
export {
  createRouter,
  type Evaluation,
  type Judgement,
  type Router,
  type RouterStatus,
  type ThresholdState,
  type ThresholdStep,
} from './router/index.ts';
export { attemptsBefore } from './steps/report.ts';
export * from './terms.ts';
export type * from './types.ts';
export { UPSTREAM_LIMITS } from './upstream/index.ts';
