/**
 * Of what type a name is, by rules alone: what its document says of itself, the words that it has, what stands before it. Where rules
 * say nothing or contradict each other the type is unknown.
 *
 * @module knowledge/graph/type-rules
 */
import { sentencesOf } from '../chunk/sentences.ts';
import { type EntityType, isEntityType } from '../store/index.ts';
import type { Link, Property } from '../types.ts';
import { normalForm, piecesOf, shortTitle } from './normal.ts';
import { countriesOf, FIRST, HONORIFIC, LAST, NOUNS, PROPERTY_TYPES, WORLD_WAR } from './type-words.ts';

/** One reason; equal reasons are one object, so that they can be counted. */
export interface Evidence {
  readonly type: EntityType;
  /** Of several the highest counts: 1 a word of the name, 2 how it is used, 3 what the owner wrote. */
  readonly rank: 1 | 2 | 3;
  /** For people. */
  readonly why: string;
}

export interface TypeSaid {
  readonly type: EntityType;
  readonly why: string;
}

/** Share of the strongest evidence that must agree. */
const AGREED = 0.75;
/** Characters at the beginning of a document in which it says what it is about. */
const OPENING = 800;
const MOST_LINKS = 2000;

const known = new Map<string, Evidence>();
function evidence(type: EntityType, rank: Evidence['rank'], why: string): Evidence {
  const key = `${rank} ${type} ${why}`;
  let found = known.get(key);
  if (found === undefined) {
    found = { type, rank, why };
    known.set(key, found);
  }
  return found;
}

let countries: ReadonlySet<string> | null = null;
const isCountry = (form: string): boolean => {
  countries ??= countriesOf(normalForm);
  return countries.has(form);
};

type Found = readonly [form: string, evidence: Evidence];

/** What the words of a name say of it, or of the name within it. */
export function evidenceOfSurface(surface: string, form: string): Found[] {
  const title = HONORIFIC.exec(surface);
  if (title !== null) {
    const bare = normalForm(surface.slice(title[0].length));
    const said = evidence('Person', 2, `'${title[0].trim()}' stands before it`);
    return bare.includes(' ')
      ? [
          [form, said],
          [bare, said],
        ]
      : [[form, said]];
  }
  if (isCountry(form)) return [[form, evidence('Place', 1, 'a country or continent')]];
  const words = form.split(' ');
  if (words.length < 2) return [];
  const types = new Set<EntityType>();
  const reasons: string[] = [];
  const say = (type: EntityType | undefined, word: string): void => {
    if (type === undefined) return;
    types.add(type);
    reasons.push(word);
  };
  // Of "President of Duke University" the word before "of" is what is named.
  const last = /(?: of| for) /u.test(form) ? '' : words.at(-1)!;
  say(LAST.get(last), last);
  if (/\bAG$/.test(surface)) say('Organization', 'AG');
  for (const [pattern, type] of FIRST) if (pattern.test(form)) say(type, words[0]!);
  if (WORLD_WAR.test(form)) say('Event', words.slice(-2).join(' '));
  if (types.size !== 1) return [];
  return [[form, evidence([...types][0]!, 1, `the word '${reasons[0]}' in it`)]];
}

export interface Describing {
  readonly title: string;
  readonly properties: Readonly<Record<string, Property>>;
  readonly aliases: readonly string[];
  readonly links: readonly Link[];
}

/** @param text of the document's first chunk */
export function evidenceOfDocument({ title, properties, aliases, links }: Describing, text: string): Found[] {
  const found: Found[] = [];
  const short = shortTitle(title);
  const forms = new Set([title, ...aliases].map(normalForm).filter((form) => form !== ''));
  // One word without what tells it from others is mostly said of those: "United" is seldom the film.
  const bare = normalForm(short ?? '');
  if (bare.includes(' ')) forms.add(bare);
  const own = (said: Evidence | null): void => {
    if (said !== null) for (const form of forms) found.push([form, said]);
  };
  own(fromProperties(properties));
  own(fromBrackets(title));
  own(fromDefinition(short ?? title, text));
  for (const link of links.slice(0, MOST_LINKS)) {
    const form = link.kind === 'person' ? personOf(link) : '';
    if (form !== '') found.push([form, evidence('Person', 2, 'sent or received mail')]);
  }
  return found;
}

function fromProperties(properties: Describing['properties']): Evidence | null {
  for (const name of ['type', '@type']) {
    const value = properties[name];
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      const type = typeof each === 'string' ? typeNamed(each.trim()) : undefined;
      if (type !== undefined) return evidence(type, 3, `its document says 'type: ${String(each).trim()}'`);
    }
  }
  for (const name of ['startDate', 'start_date', 'startdate'])
    if (properties[name] !== undefined) return evidence('Event', 3, `its document has '${name}'`);
  return null;
}

function typeNamed(value: string): EntityType | undefined {
  return isEntityType(value) ? value : PROPERTY_TYPES.get(value.toLowerCase());
}

/** `Red Dust (1932 film)`. */
function fromBrackets(title: string): Evidence | null {
  const words = piecesOf(/\(([^()]*)\)\s*$/u.exec(title)?.[1] ?? '');
  const type = NOUNS.get(words.at(-1) ?? '');
  return type === undefined ? null : evidence(type, 2, `'${words.at(-1)}' in the brackets of its title`);
}

const IS = /^([^\n]{1,250}?)\s(?:is|was|are|were)\s+(?:an?|the|one of the)\s+([^\n]{1,200})/u;
/** What follows the noun that something is said to be. */
const BEHIND =
  /[,;.(:]|\s[–—-]\s|\s(?:of|in|by|from|at|on|for|with|who|whose|which|that|where|and|or|to|as|near|located|situated|directed|written|born|based|known|between|under|released|produced|held|fought|set|published|founded|starring|about)\s/u;

/** `Ann Lee (born 1950) is a British film director and ...`: the last word before anything else is said. */
function fromDefinition(title: string, text: string): Evidence | null {
  const first = sentencesOf(text.slice(0, OPENING))[0] ?? '';
  const match = IS.exec(first.trim());
  if (match === null) return null;
  const subject = piecesOf(match[1]!);
  const named = piecesOf(title);
  if (named.length === 0 || subject[0] !== named[0] || !named.every((word) => subject.includes(word)))
    return null;
  const phrase = `${match[2]!} `;
  const end = BEHIND.exec(phrase)?.index ?? phrase.length;
  const word = piecesOf(phrase.slice(0, end)).at(-1) ?? '';
  const type = NOUNS.get(word) ?? NOUNS.get(word.replace(/s$/u, ''));
  return type === undefined ? null : evidence(type, 2, `its document begins by calling it a ${word}`);
}

/** Senders that are machines or desks. */
const NOBODY =
  /^(?:no-?reply|do-?not-?reply|info|news|newsletter|support|team|help|hello|contact|office|admin|notifications?|alerts?|service|sales|billing|friends|all|list)\b/iu;

/** Form of a sender or receiver that is written as a person's name; empty otherwise. */
function personOf({ target, label }: Link): string {
  const [local = '', domain = ''] = target
    .replace(/^mailto:/iu, '')
    .toLowerCase()
    .split('@');
  const form = normalForm(label ?? '');
  const words = form.split(' ');
  if (form === '' || label!.includes('@') || NOBODY.test(local) || words.length > 4) return '';
  if (evidenceOfSurface(label!, form).some(([, { type }]) => type !== 'Person')) return '';
  // One word may be a firm: it is somebody's where the address begins with it, and the firm's name is another.
  if (words.length === 1 && (!local.startsWith(form) || domain.includes(form))) return '';
  return form;
}

/** What most of the strongest evidence says; null when it does not agree. */
export function decided(all: ReadonlyMap<Evidence, number>): TypeSaid | null {
  const rank = Math.max(...[...all.keys()].map((each) => each.rank));
  const counted = [...all].filter(([each]) => each.rank === rank);
  const sum = counted.reduce((total, [, count]) => total + count, 0);
  const by = new Map<EntityType, number>();
  for (const [{ type }, count] of counted) by.set(type, (by.get(type) ?? 0) + count);
  for (const [type, count] of by) {
    if (count < AGREED * sum) continue;
    const reasons = counted.filter(([each]) => each.type === type);
    reasons.sort(([a, n], [b, m]) => m - n || (a.why < b.why ? -1 : 1));
    return { type, why: reasons[0]![0].why };
  }
  return null;
}
