/**
 * Says in the reader's language that no model answered, why, and what can be done.
 *
 * @module gateway/ladder/explain
 */
import type { KithError } from '../../../base/index.ts';
import type { Language } from '../locale.ts';
import { reasonOf } from './reason.ts';
import { TEXTS } from './texts.ts';

/** Holds no part of the question and no message of a server: the error's code only. */
export function explanation(error: KithError, language: Language): string {
  const texts = TEXTS[language];
  const [why, remedy] = texts.reasons[reasonOf(error)];
  const wait = error.retryAfter;
  const lines = [texts.unanswered, '', why, '', `${texts.remedy} ${remedy}`];
  if (wait !== undefined && Number.isFinite(wait) && wait > 0)
    lines.push(texts.wait.replace('{seconds}', String(Math.ceil(wait))));
  const code = /^[\w.-]{1,64}$/.test(error.code) ? ['', `${texts.code} ${error.code}`] : [];
  return [...lines, ...code].join('\n');
}

/** First line of what an adapter found. */
export const foundLabel = (source: string, language: Language): string =>
  TEXTS[language].found.replace('{source}', () => source);

/** First line of a message to somebody in danger. */
export const helpLabel = (language: Language): string => TEXTS[language].help;
