/**
 * The ladder's lower steps: search adapters, explanations, and where to find help.
 *
 * @module gateway/ladder
 */
export type { Distress, Ladder, StandIn } from './types.ts';
