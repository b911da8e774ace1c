/**
 * What the server is given, and what it needs to know about the node it fronts.
 *
 * @module server/types
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Ids, Logger } from '../base/index.ts';
import type {
  BackendHealth,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingAnswer,
  EmbeddingRequest,
  Gateway,
  RankingAnswer,
  RankingRequest,
} from '../gateway/index.ts';
import type { BackendPlace, EngineHealth, HealthLimits, HealthPolicy } from './health/types.ts';
import type { Exchange, Scope } from './http/exchange.ts';
import type { ServerLimits } from './http/limits.ts';
import type { Observability } from './metrics/index.ts';
import type { KnowledgeDesk } from './rag/types.ts';
import type { ShardDesk } from './shards/types.ts';
import type { StorageDesk } from './storage/types.ts';
import type { SwarmDesk, SwarmSummary } from './swarm/types.ts';
import type { TlsFiles } from './tls.ts';

/** The node as the control routes and `/health` see it. Unknown values are null. */
export interface NodeControl {
  status(): Promise<NodeStatus>;
  /** Drains requests and ends the process. Returns at once. */
  shutdown(): void;
  /** Takes a model out of memory, so that its file can go. False when it was not there. */
  unload(model: string): Promise<boolean>;
  /** Brings a model into memory; goes on when the signal ends the waiting. Throws `model_not_found` (404). */
  load(model: string, signal: AbortSignal): Promise<void>;
}

export interface NodeStatus {
  /** `starting`: the default model is being placed or loaded; `degraded`: up, but something is wrong. */
  readonly state: 'starting' | 'ready' | 'degraded' | 'stopping';
  /** What is going on or wrong, for people. */
  readonly message: string | null;
  readonly version: string;
  readonly pid: number;
  /** ms since epoch. */
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly url: string;
  readonly home: string;
  /** Who the node is to others. */
  readonly identity: {
    readonly peerId: string;
    readonly did: string;
    /** Whether the key on the disk needs a passphrase. */
    readonly protected: boolean;
  };
  readonly defaultModel: string | null;
  readonly embeddingModel: string | null;
  readonly models: readonly {
    readonly id: string;
    readonly task: string;
    readonly state: string;
    readonly context: number | null;
  }[];
  readonly loaded: readonly LoadedModelStatus[];
  readonly backends: readonly (BackendHealth & {
    readonly backend: string;
    readonly where: BackendPlace['where'];
    readonly link: BackendPlace['link'];
  })[];
  /** What holds for requests that say nothing else, and the least of privacy that they can ask for. */
  readonly policy: HealthPolicy;
  readonly engine: {
    readonly state: EngineHealth['state'];
    readonly pid: number | null;
    /** Times the engine process was started again after it died. */
    readonly restarts: number;
    readonly lastCause: string | null;
  };
  /** `refused`: answered with 429, 503 or 529. */
  readonly requests: { readonly active: number; readonly total: number; readonly refused: number };
  /** Resident memory of this process and of the engine's; the machine's, whole and free. Bytes. */
  readonly memory: {
    readonly node: number;
    readonly engine: number | null;
    readonly total: number;
    readonly free: number;
  };
  /** Free bytes on the disk that holds the home. */
  readonly diskFree: number | null;
  readonly swarm: SwarmSummary;
  readonly logLevel: string;
  /** Compute threads. */
  readonly threads: number;
  readonly limits: HealthLimits;
  /** What the start of the default model is doing; null when it is done. */
  readonly progress: {
    readonly phase: string;
    readonly doneBytes: number;
    readonly totalBytes: number | null;
  } | null;
}

export interface LoadedModelStatus {
  readonly id: string;
  readonly task: 'text' | 'embedding' | 'rerank';
  readonly architecture: string;
  readonly runner: 'kith' | 'node-llama-cpp';
  readonly device: string;
  readonly blocks: number;
  readonly context: number;
  readonly kvCells: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** What it does now; null while the engine does not answer. */
  readonly work: {
    readonly active: number;
    readonly waiting: number;
    /** Of `kvCells`: held by sequences in the batch, and by finished ones only. Null when the runner does not say. */
    readonly usedCells: number | null;
    readonly cachedCells: number | null;
    /** Decoded tokens per second over the last minute; null when there were none. */
    readonly tokensPerSecond: number | null;
  } | null;
}

/** Who asks. */
export interface Caller {
  /** Id of the API key; null on loopback without one. */
  readonly key: string | null;
  /** Name that the owner gave the key; `local` without one. */
  readonly name: string;
  /** Agent on whose behalf the request is made (`x-kith-agent`), for figures by agent; null when none is named. */
  readonly agent: string | null;
  /** Knowledge bases that it may ask and fill, where its scopes allow that; absent: all. */
  readonly kbs?: readonly string[];
}

/** Decides who may ask what, before the body is read. */
export interface Access {
  /** False when only loopback may be listened on. */
  readonly guarded: boolean;
  /**
   * Checks host, origin, key, scope and request rate. Sets the headers that tell the caller its limits. Throws
   * `KithError` with 401, 403 or 429. A null scope is for what no route answers: any key will do.
   * `known` hears who asks before scope and rate are checked, for the logs.
   */
  admit(
    request: IncomingMessage,
    response: ServerResponse,
    scope: Scope | null,
    known?: (caller: Caller) => void,
  ): Caller;
  /** Answers a CORS preflight; false when the origin is not allowed. */
  preflight(request: IncomingMessage, response: ServerResponse): boolean;
}

export type AnswerKind = 'chat' | 'completion' | 'embedding' | 'rerank';

/** Sees one answer as it is made. Must not throw. */
export interface AnswerWatch {
  event?(event: ChatEvent): void;
  /** Vectors were made, or documents ranked. */
  embedded?(answer: Pick<EmbeddingAnswer, 'tokens' | 'receipt'>): void;
  /** Once, at the end; null when it ended well. */
  end(error: unknown): void;
}

/** A request that was answered, or whose client went away. Holds no content. */
export interface RequestFacts {
  readonly id: string;
  readonly method: string;
  /** Route pattern; null when no route fits. */
  readonly route: string | null;
  /** 499 when the client went away first. */
  readonly status: number;
  /** `code` of the error that was answered; null without one. */
  readonly code: string | null;
  /** Name of the limit that was reached; null where none was. */
  readonly limit: string | null;
  readonly ms: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Null when nobody was admitted. */
  readonly caller: Caller | null;
  /** False for health probes, the page's files and the command line's own routes. */
  readonly counted: boolean;
  /** Stands for the request: the same object as its exchange's `request`, to know it again by. */
  readonly of: object;
}

/** Looks on at requests and answers: metrics, traces, the access log, token budgets. */
export interface Observer {
  /** Called when a request arrives, before anybody is admitted: nothing in it is trusted. Must not throw. */
  begin?(id: string, request: IncomingMessage): void;
  /** Called when the response is closed. Must not throw. */
  request?(facts: RequestFacts): void;
  /**
   * Called before the gateway is asked. May throw (429: the caller's token budget is spent). `asked`: characters of the
   * messages, prompts or inputs; token ids count as four each.
   */
  answer?(exchange: Exchange, kind: AnswerKind, model: string | null, asked: number): AnswerWatch | null;
}

export interface ServerOptions {
  readonly gateway: Gateway;
  readonly control: NodeControl;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Unsigned 32-bit seed for requests that name none. */
  readonly randomSeed: () => number;
  readonly limits: ServerLimits;
  readonly version: string;
  /** Secret that control routes ask for; it stands in the run file, which only the owner can read. */
  readonly token: string;
  readonly access: Access;
  /** PEM files; null or absent: plain HTTP. */
  readonly tls?: TlsFiles | null;
  /** Called when another certificate came into force; gets its fingerprint. */
  readonly onCertificate?: (fingerprint: string) => Promise<void> | void;
  readonly observers: readonly Observer[];
  /** Behind `/metrics` and `/kith/v1/metrics`. @default without them */
  readonly observability?: Pick<Observability, 'text' | 'view' | 'health'>;
  /** Behind `/kith/v1/swarm`. @default without one */
  readonly swarm?: SwarmDesk;
  /** Behind `/kith/v1/shards`. @default without one */
  readonly shards?: ShardDesk;
  /** Behind `/kith/v1/storage`. @default without one */
  readonly storage?: StorageDesk;
  /** Behind `/api/rag`. @default without one */
  readonly knowledge?: KnowledgeDesk;
}

/** What route handlers get. */
export interface ServerContext extends ServerOptions {
  /** `system_fingerprint`: changes when the software that made an answer changes. */
  readonly fingerprint: string;
  /** The gateway as the caller of an exchange uses it: observed and within budgets. Route handlers ask this one. */
  readonly answering: Answering;
  /** Fires when the server takes no new requests. Answers without an end of their own end then. */
  readonly closing: AbortSignal;
}

/** The watches of one answer that is not made of the gateway's events. */
export interface AnswerWatching {
  event(event: ChatEvent): void;
  /** Once, at the end; null when it ended well. */
  end(error: unknown): void;
  /** Instead of the end: `chat` of the same exchange goes on with these watches. */
  handOver(): void;
}

export interface Answering {
  /** Begins to watch an answer. Throws what observers throw: the caller's budget may be spent. */
  watch(exchange: Exchange, kind: AnswerKind, model: string | null, asked: number): AnswerWatching;
  /** `stream`: events are passed on as they come. Terms of the exchange are added to the request. */
  chat(exchange: Exchange, request: ChatRequest, stream: boolean): AsyncIterable<ChatEvent>;
  complete(exchange: Exchange, request: CompletionRequest, stream: boolean): AsyncIterable<ChatEvent>;
  embed(exchange: Exchange, request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  rank(exchange: Exchange, request: RankingRequest): Promise<RankingAnswer>;
}

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** SHA-256 of the certificate in force; null without TLS. */
  readonly fingerprint: string | null;
  /** Requests being answered. */
  readonly active: number;
  /** Requests answered or being answered since the start. */
  readonly total: number;
  /** Of those: answered with 429, 503 or 529. */
  readonly refused: number;
  /** Takes no new requests, waits up to `drainMs` for those in progress, then ends what is left. */
  close(drainMs: number): Promise<void>;
}
