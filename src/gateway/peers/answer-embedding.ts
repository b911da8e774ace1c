/**
 * Makes embeddings for a peer, under a lease.
 *
 * @module gateway/peers/answer-embedding
 */
import { KithError } from '../../base/index.ts';
import type { IncomingCall, ReplyInit } from '../../swarm/index.ts';
import { failureOf } from './failure.ts';
import { decodeOpening, encodeEmbedded, PEER_BOUNDS } from './protocol.ts';
import { hashOf, type ReceiptFacts } from './receipt.ts';
import { decodeEmbedding } from './requests.ts';
import type { Serving } from './service.ts';

/** Throws what the peer is told, without words of this node's own making. */
export async function answerEmbedding(serving: Serving, call: IncomingCall): Promise<ReplyInit> {
  try {
    return await answer(serving, call);
  } catch (error) {
    const { code, message, status, retryMs } = failureOf(error);
    const wait = retryMs === null ? {} : { retryAfter: Math.ceil(retryMs / 1000) };
    throw new KithError(code, message, { status: status < 400 ? 500 : status, ...wait });
  }
}

async function answer(serving: Serving, call: IncomingCall): Promise<ReplyInit> {
  const { peer, metadata, payload } = call;
  const opening = decodeOpening(metadata);
  using use = await serving.begin(peer, opening.lease, 'embedding');
  const request = decodeEmbedding(payload);
  const { model } = request;
  if (model !== use.lease.model)
    throw new KithError('peer_lease_lost', 'The lease is for another model. Ask for one for this.', {
      status: 409,
    });
  const hash = hashOf(payload);
  const signal = AbortSignal.any([call.signal, use.signal]);
  const about = { client: peer, request: opening.request, hash, task: 'embedding', model } as const;
  let outcome: ReceiptFacts['outcome'] = 'failed';
  let tokens: readonly number[] | null = null;
  try {
    const { vectors, dimension, tokens: counted } = await serving.engine.embed({ ...request, signal });
    if (vectors.byteLength > PEER_BOUNDS.vectorBytes)
      throw new KithError(
        'peer_too_large',
        `The vectors have more than ${PEER_BOUNDS.vectorBytes} bytes. Ask for fewer at a time.`,
        { status: 400 },
      );
    tokens = counted.map((count) => count ?? 0);
    outcome = 'answered';
    const sum = tokens.reduce((total, count) => total + count, 0);
    const signed = serving.receipt({ ...about, promptTokens: sum, completionTokens: 0, outcome });
    serving.allowance.take(peer, sum, serving.policy().tokensPerMinute);
    return encodeEmbedded({ model, dimension, tokens, vectors, ...signed });
  } catch (error) {
    if (outcome !== 'answered')
      serving.receipt({
        ...about,
        promptTokens: null,
        completionTokens: 0,
        outcome: call.signal.aborted ? 'left' : 'failed',
      });
    throw error;
  }
}
