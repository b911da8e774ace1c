/**
 * Relations that a document's head, or a line like `author: [[Ann Lee]]`, gives by name.
 *
 * @module knowledge/dream/fields
 */
import { normalForm } from '../graph/normal.ts';
import { type Relation, relationOf } from '../store/index.ts';
import type { Property } from '../types.ts';

export interface Field {
  readonly relation: Relation;
  readonly object: string;
  readonly surface: string;
  /** The field as it is written. */
  readonly sentence: string;
}

/** Fields of one document, and values of one, that are looked at. */
const MOST_FIELDS = 100;
const MOST_VALUES = 50;
const WIKI = /^\s*\[\[([^\]|#]{1,200})(?:[|#][^\]]{0,200})?\]\]\s*$/u;
/** They say how a document is kept, or are told of elsewhere. */
const KEPT =
  /^(?:type|title|aliases?|tags?|summary|description|date|created|modified|updated|kith.*|cssclass(?:es)?|publish|url|source)$/iu;

/** Of a document's head: values that are links, and those of fields that schema.org has as relations and that are names here. */
export function fieldsOf(
  properties: Readonly<Record<string, Property>>,
  isName: (form: string) => boolean,
): Field[] {
  const found: Field[] = [];
  for (const [name, value] of Object.entries(properties).slice(0, MOST_FIELDS)) {
    if (KEPT.test(name)) continue;
    const values = Array.isArray(value) ? (value as readonly string[]).slice(0, MOST_VALUES) : [value];
    for (const each of values) {
      if (typeof each !== 'string' || each.length > 400) continue;
      const link = WIKI.exec(each)?.[1];
      const relation = relationOf(name);
      const surface = (link ?? each).split('/').at(-1)!.trim();
      const object = normalForm(surface);
      if (object === '' || (link === undefined && (relation === 'relatedTo' || !isName(object)))) continue;
      found.push({ relation, object, surface, sentence: `${name}: ${each}` });
    }
  }
  return found;
}

const LINE = /^\s*(?:[-*]\s+)?\[?([A-Za-z][A-Za-z ]{1,40}?)::?\s+(\S.{0,400}?)\]?\s*$/u;
/** Lines of one chunk that are looked at. */
const MOST_LINES = 500;

/** Lines of a text: `Author: Ann Lee`, `author:: [[Ann Lee]], [[Bob]]`. Names of relations alone. */
export function fieldLines(text: string, isName: (form: string) => boolean): Field[] {
  const found: Field[] = [];
  for (const line of text.split('\n', MOST_LINES)) {
    if (line.length > 500) continue;
    const [, name, values] = LINE.exec(line) ?? [];
    if (name === undefined || values === undefined) continue;
    const relation = relationOf(name);
    if (relation === 'relatedTo') continue;
    for (const each of values.split(/,\s|;\s/u).slice(0, MOST_VALUES)) {
      const surface = (WIKI.exec(each)?.[1] ?? each).trim();
      const object = normalForm(surface);
      if (object !== '' && isName(object)) found.push({ relation, object, surface, sentence: line.trim() });
    }
  }
  return found;
}
