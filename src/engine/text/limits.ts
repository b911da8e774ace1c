/**
 * Bounds of templates and of what they are given.
 *
 * @module engine/text/limits
 */

/** UTF-16 units of a template's source (the longest published ones have about 30,000). */
export const MAX_TEMPLATE_UNITS = 1_048_576;
/** UTF-16 units of a rendered prompt. */
export const MAX_PROMPT_UNITS = 8_388_608;
/** Items `range()` makes in a template. */
export const MAX_RANGE = 100_000;
/** Nesting of tools, tool calls and template variables. */
export const MAX_DEPTH = 64;
/** Template messages and errors are passed on cut to this. */
export const MAX_REASON_UNITS = 500;
