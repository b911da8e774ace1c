/**
 * `POST /kith/v1/shards/weights`: fetches the bytes of some blocks of a model, from peers that have them and from the
 * model's sources. A stream of events: `progress`, then `done`; a client that leaves ends it, and what came stays.
 *
 * @module server/shards/weights
 */
import { z } from 'zod';
import { isKithError } from '../../base/index.ts';
import type { Progress } from '../../models/index.ts';
import { errorAnswer, type OpenAiError, openAiError } from '../http/errors.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { doneEvent, encodeEvent, pingComment } from '../http/sse.ts';
import type { ShardRouting } from './index.ts';

/** Blocks [from, to) of a model, and with `ends` its embedding and head. */
export interface WeightsRequest {
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly ends: boolean;
}

export interface FetchedWeights {
  readonly path: string;
  /** Bytes that came over the network or from other files. */
  readonly fetchedBytes: number;
  /** Requests over the network. */
  readonly requests: number;
  /** Who gave bytes that are kept: URIs, and PeerIds. */
  readonly sources: readonly string[];
}

export interface WeightsIo {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface WeightsDesk {
  /** @throws as `ModelStore.ensureBlocks` */
  fetch(request: WeightsRequest, io: WeightsIo): Promise<FetchedWeights>;
}

/** One event of the stream. */
export type WeightsEvent = { readonly progress: Progress } | { readonly done: FetchedWeights };

const block = z.int().min(0).max(4096);
export const weightsSchema = z
  .strictObject({
    model: z.string().min(1).max(96),
    from: block.default(0),
    to: block.default(0),
    ends: z.boolean().default(false),
  })
  .refine(({ from, to, ends }) => from < to || (ends && from === to), 'say which blocks, or `ends`');

export function weightRoutes({ desk, streamed }: ShardRouting): Route[] {
  return [
    streamed('POST', '/weights', async (exchange, pingMs) => {
      const request = parseBody(weightsSchema, await exchange.json());
      await follow(exchange, pingMs, (onProgress) =>
        desk().weights.fetch(request, { signal: exchange.signal, onProgress }),
      );
    }),
  ];
}

/** Until the first event leaves an error has its own status; after that it is the last event. */
async function follow(
  { id, response, signal, failed }: Exchange,
  pingMs: number,
  work: (onProgress: (progress: Progress) => void) => Promise<FetchedWeights>,
): Promise<void> {
  const tell = (event: WeightsEvent | OpenAiError) => {
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent)
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      });
    response.write(encodeEvent(event));
  };
  const pings = setInterval(() => {
    if (response.headersSent && !response.writableNeedDrain && !response.writableEnded)
      response.write(pingComment);
  }, pingMs);
  try {
    // Who reads slowly misses steps in between.
    const done = await work((progress) => {
      if (!response.writableNeedDrain) tell({ progress });
    });
    tell({ done });
    response.end(doneEvent);
  } catch (error) {
    if (!response.headersSent) throw error;
    if (response.destroyed) return;
    const cause = isKithError(signal.reason) ? signal.reason : error;
    const { fault } = errorAnswer(cause, `req-${id}`);
    failed(fault.code, fault.limit);
    tell(openAiError(fault));
    response.end();
  } finally {
    clearInterval(pings);
  }
}
