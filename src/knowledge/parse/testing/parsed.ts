/**
 * Parsing in this process and looking at the outcome, for tests.
 *
 * @module knowledge/parse/testing/parsed
 */
import type { ParsedDocument } from '../../types.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { parseFile } from '../parse-file.ts';
import type { Parsed, ParseLimits } from '../types.ts';

export const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

export async function parseAll(
  name: string,
  content: string | Uint8Array,
  limits: Partial<ParseLimits> = {},
): Promise<Parsed[]> {
  const found: Parsed[] = [];
  for await (const parsed of parseFile({ name, bytes: bytesOf(content) }, { ...DEFAULT_LIMITS, ...limits }))
    found.push(parsed);
  return found;
}

export async function parseOne(
  name: string,
  content: string | Uint8Array,
  limits: Partial<ParseLimits> = {},
): Promise<Parsed> {
  const [first, ...rest] = await parseAll(name, content, limits);
  if (first === undefined || rest.length > 0)
    throw new Error(`${name} is ${rest.length + (first ? 1 : 0)} documents`);
  return first;
}

/** Each section as its path of headings, and its blocks as `kind: text`. */
export function outline({ sections }: ParsedDocument): [string, ...string[]][] {
  return sections.map(({ headings, blocks }) => [
    headings.join(' > '),
    ...blocks.map(({ kind, text }) => `${kind}: ${text}`),
  ]);
}
