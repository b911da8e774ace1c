/**
 * The errors of a file: which it is, what is wrong with it and what the owner can do.
 *
 * @module knowledge/parse/failures
 */
import { InputError, isKithError, messageOf } from '../../base/index.ts';

/** Longest piece of a library's words in a message, characters. */
const WORDS = 200;

/** Words of a library on one line, to stand within a sentence; parsers quote what they read. */
export function wordsOf(thrown: unknown): string {
  return messageOf(thrown)
    .slice(0, 4 * WORDS)
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, WORDS)
    .replace(/\.$/, '');
}

const quoted = (name: string): string => JSON.stringify(name.slice(-WORDS).toWellFormed());

export function encrypted(name: string): InputError {
  return new InputError(
    'parse_encrypted',
    `${quoted(name)} is encrypted. Save it without a password and ingest that.`,
    { status: 422, details: { file: name } },
  );
}

/** @param why what is wrong, as the end of a sentence. */
export function broken(name: string, why: string, cause?: unknown): InputError {
  return new InputError(
    'parse_broken',
    `${quoted(name)} cannot be read: ${why}. Open it in the program that made it and save it again.`,
    { status: 422, details: { file: name }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** @param remedy a sentence. */
export function unsupported(name: string, what: string, remedy = 'Leave it out.'): InputError {
  return new InputError(
    'parse_unsupported',
    `${quoted(name)} is ${what}, which Kith does not read. ${remedy}`,
    {
      status: 415,
      details: { file: name },
    },
  );
}

/** @param what what there is too much of, with the limit. */
export function tooLarge(name: string, what: string): InputError {
  return new InputError('parse_too_large', `${quoted(name)} ${what}. Split it, or leave it out.`, {
    status: 413,
    details: { file: name },
  });
}

export function unreadable(name: string, thrown: unknown): InputError {
  return new InputError('parse_unreadable', `${quoted(name)} cannot be opened: ${wordsOf(thrown)}.`, {
    details: { file: name },
    cause: thrown,
  });
}

export function timedOut(name: string, timeMs: number): InputError {
  return new InputError(
    'parse_timeout',
    `${quoted(name)} took longer than ${timeMs} ms to read and was given up.`,
    { status: 422, details: { file: name, ms: timeMs } },
  );
}

export function outOfMemory(name: string, memoryMb: number): InputError {
  return new InputError(
    'parse_memory',
    `${quoted(name)} needed more than ${memoryMb} MB of memory to read and was given up.`,
    { status: 422, details: { file: name, megabytes: memoryMb } },
  );
}

/** The process of a parser ended, and not by Kith. */
export function crashed(name: string, how: string): InputError {
  return new InputError(
    'parse_broken',
    `${quoted(name)} cannot be read: the process that read it ended (${how}). Leave it out, or save it again.`,
    { status: 422, details: { file: name } },
  );
}

/** Thrown by what does not know the file. */
export class TooDeep extends Error {}

/** What a parser threw, as an error of its file. A full stack is deep nesting: parsers call themselves for each level. */
export function asFailure(name: string, thrown: unknown): Error {
  if (isKithError(thrown)) return thrown;
  if (thrown instanceof TooDeep || (thrown instanceof RangeError && /call stack/i.test(thrown.message)))
    return tooLarge(name, 'is nested deeper than can be read');
  if (thrown instanceof RangeError && /string length|array length|array buffer/i.test(thrown.message))
    return tooLarge(name, 'has more text in one piece than fits in memory');
  return broken(name, wordsOf(thrown) || 'its parser gave up', thrown);
}
