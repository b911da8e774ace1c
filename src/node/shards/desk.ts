/**
 * The desk that the server is given: there before the swarm runs, and over each of its starts.
 *
 * @module node/shards/desk
 */
import type { ShardDesk } from '../../server/index.ts';

/** @param need the desk of the swarm that runs, or why there is none */
export function shardDesk(need: () => Promise<ShardDesk>): ShardDesk {
  return {
    work: { receipts: async (query) => (await need()).work.receipts(query) },
  };
}
