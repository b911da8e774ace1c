/**
 * The routes of sharded inference under `/kith/v1/shards`: what is served here, who covers a model, paths and circuits,
 * receipts of work.
 *
 * @module server/shards
 */
