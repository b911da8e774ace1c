/**
 * Which file a peer means by a model's id: `kith/model-hash/1`. Metadata `m` (the id) is answered with `h`, the SHA-256 of
 * the file (32 bytes), or null for what is not served. Only answers of equal files can be compared.
 *
 * @module node/swarm-model-hash
 */
import { type Clock, InputError, isKithError, toHex } from '../base/index.ts';
import type { Swarm } from '../swarm/index.ts';

export const MODEL_HASH_METHOD = 'kith/model-hash/1';
const ASK_MS = 5_000;
const BELIEVED_MS = 600_000;
const MAX_REMEMBERED = 1024;
const MAX_ID_CHARS = 200;

/** @param hashOf SHA-256 (32 bytes) of a model that is served to peers; null for others */
export function tellModelHashes(
  swarm: Pick<Swarm, 'handle'>,
  hashOf: (model: string) => Promise<Uint8Array | null>,
): Disposable {
  return swarm.handle(MODEL_HASH_METHOD, {
    caps: { maxPayloadBytes: 0, maxMetadataBytes: 1024, maxConcurrent: 4 },
    async handler({ metadata: { m } }) {
      if (typeof m !== 'string' || m.length > MAX_ID_CHARS)
        throw new InputError(
          'peer_malformed',
          "The peer's message does not follow the protocol: it names no model.",
        );
      return { metadata: { h: await hashOf(m) } };
    },
  });
}

/** Asks peers, and believes them for ten minutes. Null: it serves no such model, or does not say. Hexadecimal. */
export function askModelHashes(
  swarm: Pick<Swarm, 'call'>,
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal,
): (peer: string, model: string) => Promise<string | null> {
  const known = new Map<string, { readonly at: number; readonly hash: string | null }>();
  return async (peer, model) => {
    const key = `${peer} ${model}`;
    const before = known.get(key);
    if (before !== undefined && clock.monotonic() - before.at < BELIEVED_MS) return before.hash;
    let hash: string | null = null;
    try {
      const reply = await swarm.call(peer, MODEL_HASH_METHOD, { m: model }, undefined, {
        deadlineMs: ASK_MS,
        maxReplyBytes: 0,
        signal,
      });
      const { h } = reply.metadata;
      if (h instanceof Uint8Array && h.length === 32) hash = toHex(h);
    } catch (error) {
      if (!isKithError(error)) throw error;
    }
    known.delete(key);
    known.set(key, { at: clock.monotonic(), hash });
    if (known.size > MAX_REMEMBERED) known.delete(known.keys().next().value!);
    return hash;
  };
}
