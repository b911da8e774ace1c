/**
 * Answers peers that need blocks: one at a time, since loading takes memory and time.
 *
 * @module shards/need/answer
 */
import { KithError, type Logger } from '../../base/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import { decodeNeed, NEED_METHOD, type Need } from './wire.ts';

export interface NeedAnswerOptions {
  readonly swarm: Pick<Swarm, 'handle'>;
  /**
   * Serves the blocks, or more of them, from now on. Throws what the peer is told when it may not ask, or when they cannot be
   * served. `signal` fires when nobody waits for it any more.
   */
  readonly serve: (peer: string, need: Need, signal: AbortSignal) => Promise<BlockSpan>;
  readonly log: Logger;
}

const CAPS = { maxPayloadBytes: 0, maxMetadataBytes: 1024, maxConcurrent: 2 };
/** Seconds after which another peer may ask. */
const RETRY_S = 5;

export function answerNeeds({ swarm, serve, log }: NeedAnswerOptions): Disposable {
  let taken = false;
  return swarm.handle(NEED_METHOD, {
    caps: CAPS,
    async handler({ peer, metadata, signal }) {
      const need = decodeNeed(metadata);
      if (taken)
        throw new KithError('shard_busy', 'This node loads blocks for another node now.', {
          status: 503,
          retryAfter: RETRY_S,
        });
      taken = true;
      try {
        const { from, to } = await serve(peer, need, signal);
        log.info('blocks are served that a peer needs', { peer, from, to, asked: `${need.from}-${need.to}` });
        return { metadata: { from, to } };
      } finally {
        taken = false;
      }
    },
  });
}
