/**
 * The server room: one HTTP origin on node:http. It parses and bounds what comes in, asks the gateway, and encodes
 * what goes out in the shapes of OpenAI's API. It never runs a model and never reads the model store.
 *
 * @module server
 * @example
 * await using server = await createServer({ gateway, control, host: '127.0.0.1', port: 11435, ... });
 */

export { type AccessOptions, createAccess, type KeyedAccess } from './access/access.ts';
export {
  type ApiKey,
  isUsable,
  type KeyScope,
  type KeyStore,
  keyScopes,
  keyStorePath,
  openKeyStore,
  usualScopes,
} from './access/key-store.ts';
export { createWatching } from './answering.ts';
export type {
  BackendsView,
  BackendView,
  CacheView,
  RefitView,
  RouterView,
  ThresholdView,
  UsageView,
} from './gateway/index.ts';
export { defaultServerLimits, type ServerLimits } from './http/limits.ts';
export {
  type Alert,
  createObservability,
  type MetricsView,
  type Observability,
  type Quantiles,
  type VaultFigures,
} from './metrics/index.ts';
export type * from './rag/answer-types.ts';
export { answerEventView, answerView } from './rag/answers.ts';
export type * from './rag/cache-types.ts';
export type * from './rag/dream-types.ts';
export type * from './rag/engine-types.ts';
export type * from './rag/exchange-types.ts';
export type * from './rag/graph-types.ts';
export { type SurfaceDesk, surfaceRoutes } from './rag/openai.ts';
export type * from './rag/reading-types.ts';
export type * from './rag/share-types.ts';
export type * from './rag/step-types.ts';
export type * from './rag/types.ts';
export type * from './rag/upkeep-types.ts';
export type * from './rag/vault-grant-types.ts';
export type * from './rag/vault-types.ts';
export { createOrigin, createServer, type OriginOptions } from './server.ts';
export type * from './shards/types.ts';
export type * from './storage/types.ts';
export {
  type BanView,
  type FindQuery,
  type FindView,
  type HivemindAnnounced,
  type HivemindClaimView,
  type HivemindDesk,
  type HivemindFindView,
  type HivemindView,
  type InboxView,
  type LeasesView,
  type MessageNews,
  type MessageView,
  type OutboxView,
  type PeersView,
  type PeerTrustView,
  type PeerView,
  REACHES,
  type Reach,
  type ReceiptsView,
  type RelayServing,
  type SentView,
  type ServedModel,
  type SwarmDesk,
  type SwarmState,
  type SwarmSummary,
  type SwarmView,
} from './swarm/types.ts';
export type { TlsFiles } from './tls.ts';
export type {
  Access,
  AnswerKind,
  AnswerWatch,
  Caller,
  LoadedModelStatus,
  NodeControl,
  NodeStatus,
  Observer,
  RequestFacts,
  Server,
  ServerOptions,
} from './types.ts';
