/**
 * What the backends of other servers take and add to what every backend says.
 *
 * @module gateway/backends/types
 */
import type { Clock, Random } from '../../base/index.ts';
import type { Receipt } from '../types.ts';
import type { Timings, UpstreamLimits, UpstreamOptions } from '../upstream/index.ts';

/** A model of another server. */
export interface RemoteModel {
  /** How it is called here. */
  readonly id: string;
  /** How the server calls it. @default id */
  readonly upstreamId?: string;
  /** @default chosen by its name */
  readonly task?: 'chat' | 'completion' | 'embedding';
  /** Context window in tokens. @default as the server says */
  readonly context?: number;
}

export interface RemoteOptions {
  /** How receipts and logs call this backend. */
  readonly name: string;
  /** Address below which the API's paths lie: `https://api.example.com/v1`. */
  readonly baseUrl: string;
  /** Sent as the API wants it. Never logged. */
  readonly apiKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The models that may be asked for. @default those that the server lists */
  readonly models?: readonly RemoteModel[];
  readonly defaults?: { readonly chat?: string; readonly embedding?: string };
  readonly limits?: Partial<UpstreamLimits>;
  readonly tls?: NonNullable<UpstreamOptions['tls']>;
  readonly maxConnections?: number;
  /** GET path, below the address, whose status 200 says that the server answers. @default its list of models */
  readonly healthPath?: string;
  /** ms for which the server's list of models is believed. @default 60000 */
  readonly modelsTtlMs?: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Source of ids for tool calls that came without one. */
  readonly random: Random;
}

/** Receipts of other servers' answers say more. */
export interface RemoteReceipt extends Receipt {
  readonly upstream: {
    /** Origin of the server. */
    readonly server: string;
    /** The model that it says has answered; null when it does not say. */
    readonly model: string | null;
    /**
     * How it ended its answer: `marked` as the API wants it, `closed` without that mark, `broken`: after the answer was
     * whole. Absent where nothing is streamed.
     */
    readonly ending?: 'marked' | 'closed' | 'broken';
    /** Its id for the request; null without one. */
    readonly requestId: string | null;
    readonly timings: Timings;
  };
}

/** Token counts as a server reports them; null where it does not. */
export interface UsageReport {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
}
