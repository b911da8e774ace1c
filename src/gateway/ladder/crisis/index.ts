/**
 * Somebody in danger: noticed by the words of a message, answered with numbers to call.
 *
 * @module gateway/ladder/crisis
 */
export type { Danger } from './cues.ts';
export { type Crisis, findCrisis } from './detect.ts';
export { crisisMessage } from './message.ts';
