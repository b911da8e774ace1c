/**
 * What a check-up of a backend is given, and what it says.
 *
 * @module gateway/checkup/types
 */
import type { Clock, Random } from '../../base/index.ts';

/** In the order in which they are made. */
export const CHECKS = [
  'connection',
  'credentials',
  'models',
  'completion',
  'latency',
  'streaming',
  'json',
  'tools',
  'embeddings',
  'bad_model',
  'short_timeout',
  'abort',
] as const;
export type CheckName = (typeof CHECKS)[number];

/**
 * `warn`: it answers, but something is not as it should be; `skipped`: not looked at, or not supported and known to be
 * so; the message says which.
 */
export type CheckState = 'ok' | 'warn' | 'fail' | 'skipped';

export interface CheckResult {
  readonly name: CheckName;
  readonly state: CheckState;
  /** What was found; where the state is `fail`, the cause. One sentence for people. */
  readonly message: string;
  /** What to do about it, one sentence; null when there is nothing to do. */
  readonly remedy: string | null;
  /** Code of the error that was met; null without one. */
  readonly code: string | null;
  /** Figures by name, for programs. Times are ms. */
  readonly measured: Measured;
  /** ms that the check took. */
  readonly ms: number;
  /** Requests that it made. */
  readonly requests: number;
  /** Tokens of its prompts and answers together, as the backend counts them; null when it did not say for all of them. */
  readonly tokens: number | null;
}

export type Measured = Readonly<Record<string, number | string | boolean | null>>;

/** Where a backend's server is, for looking at the way to it apart from what answers there. */
export interface ServerAddress {
  /** Below which the API's paths lie: `https://api.example.com/v1`. */
  readonly baseUrl: string;
  /** Sent with the request, credentials included. Values never appear in results. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For `https:`, as the backend itself has it. PEM. */
  readonly tls?: {
    readonly ca?: string | readonly string[];
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
}

export interface CheckupOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends the check-up; it throws `AbortedError` then. */
  readonly signal?: AbortSignal;
  /** Null: there is no server to reach, as with the engine of this machine. @default null */
  readonly address?: ServerAddress | null;
  /** Credentials are configured. @default false */
  readonly credentials?: boolean;
  /** Models that are configured for it, as its server calls them. @default none */
  readonly models?: readonly string[];
  /** Model that is asked. @default the backend's default, else the first chat model that it lists */
  readonly model?: string | null;
  /** False: a model that is merely listed is not asked. @default true */
  readonly anyListed?: boolean;
  /** @default the backend's default; null: none is looked at */
  readonly embeddingModel?: string | null;
  /** What its models are configured to do. What they are not is not asked for. @default all true */
  readonly abilities?: { readonly tools?: boolean; readonly json?: boolean };
  /** The only ones to make. `connection` is always made. @default all */
  readonly checks?: readonly CheckName[];
  /** Asks that latency is the median of. @default 3 */
  readonly tries?: number;
  /** ms for one check. @default 30_000 */
  readonly checkMs?: number;
  /** ms for all. What is not done then is skipped. @default 120_000 */
  readonly totalMs?: number;
}
