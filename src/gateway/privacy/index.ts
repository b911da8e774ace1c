/**
 * Privacy of requests: three levels and where each may go; personal data found in texts, replaced by placeholders before
 * they leave the owner's machines, and put back into answers.
 *
 * In: texts, requests, what is known of a destination. Out: the same with placeholders, a permission with its reason, a
 * report for the receipt. It keeps values in memory for one conversation only; it never logs, stores or sends any.
 *
 * @module gateway/privacy
 */
export { type HiddenChat, hideBody, hideChat, type PrivacyReport, restoreEvents } from './chat.ts';
export {
  Conversation,
  type ConversationOptions,
  type ConversationState,
  type HideOptions,
  type KeptValue,
} from './conversation.ts';
export {
  BUILT_IN_DETECTORS,
  CAUTIOUS_THRESHOLD,
  DEFAULT_THRESHOLD,
  type Detection,
  type DetectOptions,
  detect,
  isPersonalName,
} from './detect.ts';
export * from './levels.ts';
export { createPatternDetector, type PatternSource } from './pattern/index.ts';
export { Restorer } from './restore.ts';
export { type HideJob, type HideResult, runHide, unitsOf } from './search/job.ts';
export { createSearchPool, type SearchPool, type SearchPoolOptions } from './search/pool.ts';
export { type FoundClass, Tally } from './tally.ts';
export { type Detector, PII_CLASSES, type PiiClass, type Span } from './types.ts';
export { TextView } from './view.ts';
