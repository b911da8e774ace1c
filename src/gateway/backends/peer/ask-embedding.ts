/**
 * Embeddings of a peer, in calls of at most 256 inputs under one lease.
 *
 * @module gateway/backends/peer/ask-embedding
 */
import type { Random } from '../../../base/index.ts';
import type { Swarm } from '../../../swarm/index.ts';
import {
  DAY_MS,
  decodeEmbedded,
  type EmbedAnswer,
  encodeEmbedding,
  encodeOpening,
  hashOf,
  ID_BYTES,
  PEER_BOUNDS,
  PEER_METHODS,
  receiptFault,
  type SignedReceipt,
} from '../../peers/index.ts';
import type { EmbeddingRequest } from '../../types.ts';
import { badAnswer, type PeerName, peerError, wayFailure } from './errors.ts';
import type { Asking, LeasePool } from './lease-pool.ts';

export interface EmbeddingParts {
  readonly swarm: Pick<Swarm, 'call' | 'peer'>;
  readonly who: PeerName;
  readonly pool: LeasePool;
  readonly random: Pick<Random, 'bytes'>;
}

export interface Embedded {
  readonly vectors: Float32Array;
  readonly dimension: number;
  readonly tokens: readonly number[];
  readonly last: EmbedAnswer;
  /** Receipts that count, of the calls before the last. */
  readonly before: readonly SignedReceipt[];
  /** Why a receipt does not count; null when all do. */
  readonly fault: string | null;
}

/** Characters of one call, so that it stays below its bytes. */
const maxCharacters = 2 ** 20;
const callMs = 120_000;

export async function askEmbedding(
  parts: EmbeddingParts,
  model: string,
  request: EmbeddingRequest,
  asking: Asking,
): Promise<Embedded> {
  const { who, pool } = parts;
  const batches = batchesOf(request.inputs);
  const answers: EmbedAnswer[] = [];
  const counting: SignedReceipt[] = [];
  let fault: string | null = null;
  let lease = await pool.take(model, 'embedding', asking);
  try {
    for (const inputs of batches) {
      const { truncate, dimensions = null } = request;
      const ask = () => askOnce(parts, lease.id, { model, inputs, truncate, dimensions }, asking);
      let once: Awaited<ReturnType<typeof ask>>;
      try {
        once = await ask();
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'peer_lease_lost') throw error;
        // It had not been used for long, and went to somebody else.
        lease = await pool.take(model, 'embedding', asking);
        once = await ask();
      }
      fault ??= once.fault;
      answers.push(once.answer);
      const { receipt, signature } = once.answer;
      if (once.fault === null) counting.push({ receipt, signature });
    }
    pool.keep(lease);
  } catch (error) {
    pool.keep(lease);
    throw wayFailure(error, who, asking.signal);
  }
  const [first] = answers;
  if (first === undefined) throw badAnswer(who, 'was asked for no embedding.');
  const { dimension } = first;
  if (answers.some((one) => one.dimension !== dimension))
    throw badAnswer(who, 'sent vectors of different lengths.');
  const vectors = new Float32Array(request.inputs.length * dimension);
  let at = 0;
  for (const one of answers) {
    vectors.set(one.vectors, at);
    at += one.vectors.length;
  }
  normalise(vectors, dimension, who);
  const tokens = answers.flatMap((one) => one.tokens);
  const last = answers.at(-1)!;
  const before = counting.filter(({ receipt }) => receipt !== last.receipt);
  return { vectors, dimension, tokens, last, before, fault };
}

async function askOnce(
  { swarm, who, random }: EmbeddingParts,
  lease: Uint8Array,
  request: Parameters<typeof encodeEmbedding>[0],
  { signal, minTier }: Asking,
): Promise<{ answer: EmbedAnswer; fault: string | null }> {
  let payload: Uint8Array;
  try {
    payload = encodeEmbedding(request);
  } catch (error) {
    throw peerError(
      'not_supported',
      'peer_unsupported',
      who,
      'is not asked: peers do not take such inputs.',
      {
        cause: error,
      },
    );
  }
  const hash = hashOf(payload);
  const id = random.bytes(ID_BYTES);
  const opening = encodeOpening({ lease, request: id, ms: Math.min(callMs, DAY_MS) });
  const reply = await swarm.call(who.peer, PEER_METHODS.embed, opening, payload, {
    signal,
    deadlineMs: callMs,
    maxReplyBytes: PEER_BOUNDS.vectorBytes,
    ...(minTier === undefined ? {} : { minTier }),
  });
  const answer = decodeEmbedded(reply, request.inputs.length);
  if (answer.model !== request.model) throw badAnswer(who, 'answers with another model than was asked for.');
  if (request.dimensions != null && answer.dimension !== request.dimensions)
    throw badAnswer(who, 'sent vectors of another length than was asked for.');
  const fault = receiptFault(answer, {
    ...{ server: who.peer, client: swarm.peer, request: id, hash, task: 'embedding', model: request.model },
    promptTokens: answer.tokens.reduce((sum, count) => sum + count, 0),
  });
  return { answer, fault };
}

function batchesOf(inputs: EmbeddingRequest['inputs']): EmbeddingRequest['inputs'][] {
  const batches: (string | Int32Array)[][] = [];
  let room = 0;
  for (const input of inputs) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= PEER_BOUNDS.inputs || input.length > room) {
      batches.push([input]);
      room = maxCharacters - input.length;
    } else {
      last.push(input);
      room -= input.length;
    }
  }
  return batches;
}

/** Rows of length one, whatever the peer made of them. */
function normalise(vectors: Float32Array, dimension: number, who: PeerName): void {
  for (let at = 0; at < vectors.length; at += dimension) {
    let sum = 0;
    for (let i = at; i < at + dimension; i++) sum += vectors[i]! ** 2;
    const norm = Math.sqrt(sum);
    if (!(norm > 0) || !Number.isFinite(norm)) throw badAnswer(who, 'sent a vector of no length.');
    for (let i = at; i < at + dimension; i++) vectors[i]! /= norm;
  }
}
