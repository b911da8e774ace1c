/**
 * What the server is given, and what it needs to know about the node it fronts.
 *
 * @module server/types
 */
import type { Clock, Ids, Logger } from '../base/index.ts';
import type { Gateway } from '../gateway/index.ts';
import type { ServerLimits } from './http/limits.ts';

/** The node as the control routes and `/health` see it. Unknown values are null. */
export interface NodeControl {
  status(): Promise<NodeStatus>;
  /** Drains requests and ends the process. Returns at once. */
  shutdown(): void;
  /** Takes a model out of memory, so that its file can go. False when it was not there. */
  unload(model: string): Promise<boolean>;
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
  readonly defaultModel: string | null;
  readonly models: readonly {
    readonly id: string;
    readonly task: string;
    readonly state: string;
    readonly context: number | null;
  }[];
  readonly loaded: readonly LoadedModelStatus[];
  readonly engine: {
    readonly state: string;
    readonly pid: number | null;
    /** Times the engine process was started again after it died. */
    readonly restarts: number;
    readonly lastCause: string | null;
  };
  readonly requests: { readonly active: number; readonly total: number };
  /** Resident memory of this process and of the engine's, bytes. */
  readonly memory: { readonly node: number; readonly engine: number | null };
  /** What the start of the default model is doing; null when it is done. */
  readonly progress: {
    readonly phase: string;
    readonly doneBytes: number;
    readonly totalBytes: number | null;
  } | null;
}

export interface LoadedModelStatus {
  readonly id: string;
  readonly architecture: string;
  readonly runner: string;
  readonly device: string;
  readonly blocks: number;
  readonly context: number;
  readonly kvCells: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
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
}

/** What route handlers get. */
export interface ServerContext extends ServerOptions {
  /** `system_fingerprint`: changes when the software that made an answer changes. */
  readonly fingerprint: string;
}

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Requests being answered. */
  readonly active: number;
  /** Requests answered or being answered since the start. */
  readonly total: number;
  /** Takes no new requests, waits up to `drainMs` for those in progress, then ends what is left. */
  close(drainMs: number): Promise<void>;
}
