/**
 * The desk that the server is given: there before the swarm runs, and over each of its starts.
 *
 * @module node/shards/desk
 */
import type { ShardDesk } from '../../server/index.ts';

/** @param need the desk of the swarm that runs, or why there is none */
export function shardDesk(need: () => Promise<ShardDesk>): ShardDesk {
  return {
    coverage: {
      coverage: async (model, propose) => (await need()).coverage.coverage(model, propose),
      calibration: async () => (await need()).coverage.calibration(),
      measureWays: async (model, signal) => (await need()).coverage.measureWays(model, signal),
    },
    paths: {
      plan: async (query) => (await need()).paths.plan(query),
      circuits: async () => (await need()).paths.circuits(),
      create: async (order, signal) => (await need()).paths.create(order, signal),
      close: async (name) => (await need()).paths.close(name),
    },
    work: { receipts: async (query) => (await need()).work.receipts(query) },
    serving: {
      view: async () => (await need()).serving.view(),
      serve: async (request) => (await need()).serving.serve(request),
      stop: async (request) => (await need()).serving.stop(request),
    },
    weights: { fetch: async (request, io) => (await need()).weights.fetch(request, io) },
  };
}
