/**
 * TOML.
 *
 * @module knowledge/parse/formats/toml
 */
import { parse } from 'smol-toml';
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import type { ParserInput } from '../parser.ts';
import { writeTree } from '../value-tree.ts';

export function parseToml({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const text = textOf(bytes, writer).replace(/\r\n?/g, '\n');
  writeTree(writer, limits, parse(text, { maxDepth: limits.depth, integersAsBigInt: 'asNeeded' }));
  return writer.finish();
}
