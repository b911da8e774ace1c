/**
 * The routes of sharded inference in the document. The shapes are those of `shards/types.ts`.
 *
 * @module server/openapi/shards
 */
