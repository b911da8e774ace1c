/**
 * The last words of a process whose memory is over its limit, on stderr. A file of their own: the thread that writes them loads
 * nothing else.
 *
 * @module knowledge/parse/words
 */
export const OVER_MEMORY = 'the parser is over its memory limit';
