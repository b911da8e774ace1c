/**
 * The YAML between two lines of `---` at the top of a note: title, aliases, tags, links and properties.
 *
 * @module knowledge/parse/frontmatter
 */
import { parseDocument } from 'yaml';
import type { DocumentWriter } from './document-writer.ts';
import { wordsOf } from './failures.ts';
import { YAML_ALIASES } from './formats/yaml.ts';
import { textsOf, writeProperties } from './value-tree.ts';
import { wikilinksIn } from './wikilinks.ts';

/** Characters of frontmatter that are looked through for its end. */
const LONGEST = 64 * 1024;

export interface Frontmatter {
  readonly yaml: string;
  /** What follows it. */
  readonly body: string;
  /** Line of the file on which the body begins, from 1. */
  readonly line: number;
}

export function splitFrontmatter(text: string): Frontmatter | null {
  const opening = /^---[^\S\n]*\n/.exec(text);
  if (opening === null) return null;
  const from = opening[0].length;
  const head = text.slice(from, from + LONGEST);
  const closing = /^(?:---|\.\.\.)[^\S\n]*(?:\n|$)/m.exec(head);
  if (closing === null) return null;
  const yaml = head.slice(0, closing.index);
  const lines = yaml.split('\n').length - 1;
  return { yaml, body: text.slice(from + closing.index + closing[0].length), line: lines + 3 };
}

const wordList = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(/[,\s]+/) : textsOf(value);

/** True when it was YAML with names; else what follows `---` is text of the note. */
export function writeFrontmatter(writer: DocumentWriter, yaml: string): boolean {
  const values = readYaml(writer, yaml);
  if (values === null) return false;
  for (const [name, value] of Object.entries(values)) {
    switch (name.toLowerCase()) {
      case 'title':
        writer.title(textsOf(value)[0]);
        break;
      case 'alias':
      case 'aliases':
        for (const alias of textsOf(value)) writer.alias(alias);
        break;
      case 'tag':
      case 'tags':
      case 'keywords':
        for (const tag of wordList(value)) writer.tag(tag);
        break;
    }
    for (const text of textsOf(value))
      for (const { target, label } of wikilinksIn(text)) writer.link('wiki', target, label);
  }
  writeProperties(writer, values);
  return true;
}

function readYaml(writer: DocumentWriter, yaml: string): object | null {
  try {
    const document = parseDocument(yaml, { logLevel: 'silent', uniqueKeys: false });
    const wrong = document.errors[0];
    if (wrong !== undefined) throw wrong;
    const value: unknown = document.toJS({ maxAliasCount: YAML_ALIASES });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch (thrown) {
    writer.note('part_failed', `The properties between the lines of --- are not YAML (${wordsOf(thrown)}).`);
    return null;
  }
}
