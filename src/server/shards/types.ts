/**
 * What the routes of sharded inference answer, and what they are given to answer from: one part for each topic, in a file
 * of its own.
 *
 * @module server/shards/types
 */

