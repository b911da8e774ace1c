/**
 * YAML, several documents in one file too. Aliases are resolved within bounds: a few of them can stand for billions.
 *
 * @module knowledge/parse/formats/yaml
 */
import { parseAllDocuments } from 'yaml';
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import { broken, wordsOf } from '../failures.ts';
import type { ParserInput } from '../parser.ts';
import { writeTree } from '../value-tree.ts';

/** Aliases that may be resolved, those inside of others counted each time. */
export const YAML_ALIASES = 100;

export function parseYaml({ name, bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const parsed = parseAllDocuments(textOf(bytes, writer), { logLevel: 'silent', uniqueKeys: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const document of documents) {
    const wrong = document.errors[0];
    if (wrong !== undefined) throw broken(name, `it is not YAML (${wordsOf(wrong)})`);
    writeTree(writer, limits, document.toJS({ maxAliasCount: YAML_ALIASES, mapAsMap: false }));
    if (writer.full) break;
  }
  return writer.finish();
}
