/**
 * Shapes and answers that the routes of the swarm and of sharded inference share.
 *
 * @module server/openapi/swarm-parts
 */
import { type Answer, answer } from './operation.ts';
import { count, described, pattern, ref, type Schema } from './schema.ts';

export const moment = described('Milliseconds since 1970.', count);
export const peerId = pattern(
  '^[1-9A-HJ-NP-Za-km-z]{46,52}$',
  '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN',
);
export const hash = described("SHA-256 of the model's file.", pattern('^[0-9a-f]{64}$'));
/** Tokens a second, or any other amount. */
export const rate: Schema = { type: 'number', minimum: 0 };

/** Of routes that ask nothing but that the swarm runs. */
export const swarmOff: Readonly<Record<string, Answer>> = {
  '409': answer('`swarm_off`: the swarm is not switched on.', ref('OpenAiError'), ['x-should-retry']),
  '503': answer('`swarm_down`: the swarm does not run.', ref('OpenAiError'), ['x-should-retry']),
};
