/**
 * The note of an entity, and what its owner says there.
 *
 * @module knowledge/exchange/entity-note
 */
import { wikilinksIn } from '../parse/wikilinks.ts';
import { HEADINGS, listOf, type NoteParts, type ReadNote } from './note.ts';
import { escaped, oneLine, paragraphs, unescaped } from './plain-text.ts';
import { type EntityFacts, EXCHANGE_LIMITS, type Relation, type Told } from './types.ts';

/** How notes are linked to. Null: there is no note. */
export interface Links {
  entity(key: string): string | null;
  source(path: string): string | null;
}

/** Shown of an entity; more is said in figures. */
const MOST_SOURCES = 50;
const MOST_BESIDE = 10;
const MOST_QUOTE = 500;

export function entityNote(facts: EntityFacts, kb: string, links: Links): NoteParts {
  const { key, type, mentions, documents, sources } = facts;
  const told = toldOf(facts);
  const evidence = new Map(
    facts.relations.map(({ evidence: found, ...each }) => [
      orderOf({ ...each, value: each.target === null ? literalOf(each.value ?? '') : null }),
      found,
    ]),
  );
  const relations = told.relations.map((each) => ({
    ...each,
    evidence: evidence.get(orderOf(each)) ?? null,
  }));
  return {
    ...{ id: key, kb, title: escaped(told.name) },
    frontmatter: {
      ...{ type, aliases: told.aliases, tags: [`kith/${(type ?? 'thing').toLowerCase()}`] },
      ...{ mentions, documents },
    },
    intro: told.summary === null ? '' : escaped(told.summary),
    sections: [
      [HEADINGS.relations, relations.map((each) => relationLines(each, links)).join('\n')],
      [
        HEADINGS.beside,
        facts.beside
          .flatMap((each) => {
            const link = links.entity(each.key);
            return link === null ? [] : [`- ${link} (${passages(each.chunks)})`];
          })
          .slice(0, MOST_BESIDE)
          .join('\n'),
      ],
      [
        HEADINGS.sources,
        [
          ...sources
            .slice(0, MOST_SOURCES)
            .map(
              ({ path, mentions: n }) => `- ${links.source(path) ?? escaped(oneLine(path))} (${passages(n)})`,
            ),
          ...(sources.length > MOST_SOURCES ? [`- and ${documents - MOST_SOURCES} more documents`] : []),
        ].join('\n'),
      ],
    ],
  };
}

const passages = (n: number): string => (n === 1 ? '1 passage' : `${n} passages`);
const orderOf = ({ property, target, value }: Relation): string =>
  `${property}\0${target ?? ''}\0${value ?? ''}`;

function relationLines(
  { property, target, value, evidence }: EntityFacts['relations'][number],
  links: Links,
): string {
  const object = target === null ? escaped(value ?? '') : (links.entity(target) ?? plainLink(target));
  const line = `- ${property}:: ${object}`;
  if (evidence === null) return line;
  const quote = oneLine(evidence.quote).slice(0, MOST_QUOTE).toWellFormed();
  const where =
    evidence.path === null ? '' : ` (${links.source(evidence.path) ?? escaped(oneLine(evidence.path))})`;
  return `${line}\n  > ${escaped(quote)}${where}`;
}

/** A link to what has no note yet; its name is the key. */
function plainLink(target: string): string {
  return `[[${target}]]`;
}

/** As a note can say it, so that what is read back is equal. */
export function toldOf({ name, type, aliases, summary, relations }: Told): Told {
  const known = new Set<string>();
  return {
    name: oneLine(name),
    type,
    aliases: [...new Set(aliases.map(aliasOf))]
      .filter((alias) => alias !== '')
      .sort()
      .slice(0, EXCHANGE_LIMITS.aliases),
    summary: summary === null ? null : paragraphs(summary, EXCHANGE_LIMITS.summary),
    relations: relations
      .map(({ property, target, value }) => ({
        ...{ property, target },
        value: target === null ? literalOf(value ?? '') : null,
      }))
      .filter((each) => {
        const order = orderOf(each);
        if (known.has(order) || (each.target === null && each.value === '')) return false;
        known.add(order);
        return true;
      })
      .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
      .slice(0, EXCHANGE_LIMITS.relations),
  };
}

const aliasOf = (alias: string): string =>
  oneLine(alias).slice(0, EXCHANGE_LIMITS.value).toWellFormed().trim();
const literalOf = (value: string): string =>
  oneLine(value).slice(0, EXCHANGE_LIMITS.value).toWellFormed().trim();

export interface ReadTold {
  readonly told: Told;
  /** Lines that say nothing that Kith understands. */
  readonly unclear: readonly string[];
}

export interface Meanings {
  /** Key of the entity that a link leads to; empty for what is no name. */
  keyOf(link: string): string;
  /** Null for what is no word for a type. */
  typeOf(word: string): string | null;
  /** What stands for a property: relations of the list by their names, `relatedTo` for others; null for what is none. */
  propertyOf(words: string, isLink: boolean): string | null;
}

/** What an entity's note says. @param before what it said when it was written: what the owner left out of the form is kept */
export function readTold(note: ReadNote, before: Told | null, meanings: Meanings): ReadTold {
  const unclear: string[] = [];
  const given = listOf(note.properties.type)[0];
  let type = given === undefined ? null : meanings.typeOf(unescaped(given));
  if (given !== undefined && type === null) {
    unclear.push(`type: ${given.slice(0, 80).toWellFormed()}`);
    type = before?.type ?? null;
  }
  const aliases = listOf(note.properties.aliases);
  const title = note.title === null ? '' : oneLine(unescaped(note.title));
  const lines = unclear.length;
  const relations = relationsIn(note.sections.get(HEADINGS.relations) ?? '', meanings, unclear);
  // Of a line that nobody understands it is not known which relation it was: none counts as taken away.
  if (unclear.length > lines) relations.push(...(before?.relations ?? []));
  return {
    unclear,
    told: toldOf({
      ...{ type, aliases },
      name: title === '' ? (before?.name ?? '') : title,
      summary: note.intro === '' ? null : note.intro.split('\n').map(unescaped).join('\n'),
      relations,
    }),
  };
}

const ITEM = /^ {0,3}[-*+][ \t]+(.*)$/u;
const PROPERTY =
  /^[*_]{0,2}([\p{L}][\p{L}\p{N} ._-]{0,99}?)[*_]{0,2}[ \t]*:{1,2}[*_]{0,2}(?:[ \t]+|(?=\[\[)|$)(.*)$/u;

function relationsIn(section: string, meanings: Meanings, unclear: string[]): Relation[] {
  const relations: Relation[] = [];
  for (const line of section.split('\n')) {
    // Evidence and what else stands below a relation.
    if (line.trim() === '' || /^\s*>|^\s{2,}/u.test(line)) continue;
    const item = ITEM.exec(line)?.[1]?.trim() ?? line.trim();
    const [, words = '', rest = item] = PROPERTY.exec(item) ?? [];
    const links = [...wikilinksIn(rest)].filter(({ embed }) => !embed);
    const property = meanings.propertyOf(words, links.length > 0);
    const keys = links.map(({ target }) => meanings.keyOf(target));
    const value = links.length > 0 ? '' : literalOf(unescaped(rest));
    if (property === null || keys.includes('') || (links.length === 0 && value === '')) {
      unclear.push(line.trim().slice(0, 200).toWellFormed());
      continue;
    }
    if (links.length === 0) relations.push({ property, target: null, value });
    for (const target of keys) relations.push({ property, target, value: null });
  }
  return relations;
}
