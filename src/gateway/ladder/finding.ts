/**
 * What an adapter found, read as it comes from outside.
 *
 * @module gateway/ladder/finding
 */
import type { Conversation } from '../privacy/index.ts';
import { cleanLine, cleanUrl } from './clean.ts';

/** A finding within bounds, values in the places of placeholders. At least one of both holds something. */
export interface Found {
  readonly text: string | null;
  readonly sources: readonly { readonly title: string; readonly url: string | null; readonly text: string }[];
}

/** UTF-16 units. A whole stand-in is at most about 16,000. */
export const FINDING_LIMITS = { sources: 8, title: 200, url: 1000, passage: 700, text: 4000 } as const;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Null for what is no finding, or an empty one. Whatever a plugin returns, at most the first sources are looked at. */
export function readFinding(value: unknown, conversation: Conversation | null): Found | null {
  if (!isObject(value)) return null;
  const line = (text: unknown, max: number) =>
    typeof text === 'string' ? cleanLine(text, max, conversation) : '';
  const text = line(value.text, FINDING_LIMITS.text);
  const listed = Array.isArray(value.sources) ? value.sources.slice(0, FINDING_LIMITS.sources) : [];
  const sources = listed.filter(isObject).flatMap((source) => {
    const passage = line(source.text, FINDING_LIMITS.passage);
    const url = typeof source.url === 'string' ? cleanUrl(source.url, FINDING_LIMITS.url) : null;
    // An address that may not be shown: what stood there cannot be told from what it claims to be.
    if (typeof source.url === 'string' && url === null) return [];
    const title = line(source.title, FINDING_LIMITS.title);
    return title === '' && passage === '' ? [] : [{ title, url, text: passage }];
  });
  return text === '' && sources.length === 0 ? null : { text: text === '' ? null : text, sources };
}

/** The finding as lines of text. */
export function shownFinding({ text, sources }: Found): string {
  const parts = text === null ? [] : [text];
  sources.forEach(({ title, url, text: passage }, index) => {
    const lines = [`${index + 1}. ${title === '' ? (url ?? '…') : title}`];
    if (url !== null && title !== '') lines.push(`   ${url}`);
    if (passage !== '') lines.push(`   ${passage}`);
    parts.push(lines.join('\n'));
  });
  return parts.join('\n\n');
}
