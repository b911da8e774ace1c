/**
 * In which language a caller of knowledge bases is told what no document says.
 *
 * @module server/rag/language
 */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { LANGUAGES, type Language, languageOf } from '../../knowledge/index.ts';

export const languageField = {
  /** @default as `accept-language` says, or the question */
  language: z.enum(LANGUAGES).exactOptional(),
};

/** What the caller says, what the caller's browser says, or the language of the question. */
export function languageFor(
  wanted: Language | undefined,
  { 'accept-language': accepted = '' }: IncomingHttpHeaders,
  question: string,
): Language {
  if (wanted !== undefined) return wanted;
  const known = accepted
    .slice(0, 1000)
    .split(',')
    .map((part, at) => {
      const [tag = '', ...options] = part.trim().toLowerCase().split(';');
      const weight = options.map((option) => /^\s*q=(\d(?:\.\d{1,3})?)$/.exec(option)?.[1]).find(Boolean);
      return { language: tag.split('-')[0], weight: weight === undefined ? 1 : Number(weight), at };
    })
    .sort((a, b) => b.weight - a.weight || a.at - b.at)
    .flatMap(({ language, weight }) => LANGUAGES.filter((each) => each === language && weight > 0));
  return known[0] ?? languageOf(question);
}
