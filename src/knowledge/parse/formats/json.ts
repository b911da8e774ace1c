/**
 * JSON, and JSON Lines: a value on each line, with its place.
 *
 * @module knowledge/parse/formats/json
 */
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import { broken, wordsOf } from '../failures.ts';
import type { ParserInput } from '../parser.ts';
import { writeTree } from '../value-tree.ts';

type Outcome = { readonly value: unknown } | { readonly why: unknown };

function tryJson(text: string): Outcome {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (why) {
    if (why instanceof SyntaxError) return { why };
    throw why;
  }
}

/** True when every line that is not empty is a value. Lines before a bad one are written then already. */
function writeLines(writer: DocumentWriter, text: string, input: ParserInput): boolean {
  let line = 0;
  let rows = 0;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next;
    const row = text.slice(at, end).trim();
    at = end + 1;
    line += 1;
    if (row === '') continue;
    if (rows >= input.limits.rows) {
      writer.cutRows();
      return true;
    }
    const outcome = tryJson(row);
    if ('why' in outcome) return false;
    rows += 1;
    writeTree(writer, input.limits, outcome.value, { line });
    if (writer.full) return true;
  }
  return rows > 0;
}

export function parseJson(input: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(input.limits);
  const text = textOf(input.bytes, writer);
  const whole = tryJson(text);
  if ('value' in whole) {
    writeTree(writer, input.limits, whole.value);
    return writer.finish();
  }
  const lines = new DocumentWriter(input.limits);
  if (text.trimEnd().includes('\n') && writeLines(lines, text, input)) return lines.finish();
  throw broken(input.name, `it is not JSON (${wordsOf(whole.why)})`);
}
