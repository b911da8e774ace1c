/**
 * How names stand to each other, by the words before the second: `Red Dust is a film directed by Ann Lee`. Each relation has its
 * sentence; where the subject is not clear nothing is said.
 *
 * @module knowledge/dream/relate
 */
import { isCapital } from '../graph/names.ts';
import type { EntityType, Relation } from '../store/index.ts';
import type { Clause, NameAt } from './clauses.ts';

export interface Related {
  readonly subject: string;
  readonly relation: Relation;
  readonly object: string;
  /** How the object is written. */
  readonly surface: string;
  readonly sentence: string;
  /** The words that say so. */
  readonly by: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** What its subject must be, should that be known; null: anything but a person where `thing`. */
  readonly of: EntityType | null;
  readonly thing: boolean;
}

interface Rule {
  /** Ends where the object begins, but for an article, a word like `American`, and a few small words. */
  readonly before: RegExp;
  readonly relation: Relation;
  readonly of?: EntityType;
  /** Nobody is that. */
  readonly thing?: true;
  /** The object is the subject of the relation. */
  readonly inverse?: true;
  /** Of a list (`Ann, Bob and Cy`) only the first. */
  readonly one?: true;
  /** Words that the object must have. */
  readonly has?: RegExp;
}

const rule = (before: RegExp, relation: Relation, more: Omit<Rule, 'before' | 'relation'> = {}): Rule => ({
  before,
  relation,
  ...more,
});

const WORK = { of: 'CreativeWork' } as const;
const PERSON = { of: 'Person' } as const;
/** In the order in which they are tried; each is held against the end of the words before the name. */
const RULES: readonly Rule[] = [
  rule(/\bdirected(?: and [a-z-]+)? by$/u, 'director', WORK),
  rule(/\bproduced(?: and [a-z-]+)? by$/u, 'producer', WORK),
  rule(/\b(?:written|authored)(?: and [a-z-]+)? by$/u, 'author', WORK),
  rule(/\b(?:novel|book|novella|poem|play|essay|memoir) by$/u, 'author', WORK),
  rule(/\b(?:composed|scored) by$/u, 'composer', WORK),
  rule(/\b(?:album|single|song|EP|mixtape)(?: [a-z]+)? by$/u, 'byArtist', WORK),
  rule(/\b(?:recorded|performed|sung) by$/u, 'byArtist', WORK),
  rule(/\b(?:starring|stars)$/u, 'actor', WORK),
  rule(/\bpublished by$/u, 'publisher', WORK),
  rule(/\btranslated by$/u, 'translator', WORK),
  rule(/\b(?:created|developed|designed) by$/u, 'creator'),
  rule(/\b(?:manufactured|built|made) by$/u, 'manufacturer'),
  rule(/\b(?:founded|established)(?: in \d{4})? by$/u, 'founder'),
  rule(/\bowned(?: and operated)? by$/u, 'owns', { inverse: true }),
  rule(/\bsponsored by$/u, 'sponsor'),
  rule(/\borgani[sz]ed by$/u, 'organizer'),
  rule(/\b(?:subsidiary|division|unit|branch) of$/u, 'parentOrganization'),
  rule(
    /\bborn(?:,? (?:and raised|on|about|circa|[A-Z][a-z]+|\d{1,4}(?:st|nd|rd|th)?,?)){0,6},? (?:in|at|near)$/u,
    'birthPlace',
    PERSON,
  ),
  rule(
    /\bdied(?:,? (?:on|[A-Z][a-z]+|\d{1,4}(?:st|nd|rd|th)?,?)){0,5},? (?:in|at|near)$/u,
    'deathPlace',
    PERSON,
  ),
  rule(/\b(?:married(?: to)?|wife of|husband of|widow of|[Hh](?:is|er) (?:wife|husband),?)$/u, 'spouse', {
    ...PERSON,
    one: true,
  }),
  rule(/\b(?:son|daughter|child) of$/u, 'parent', PERSON),
  rule(/\b(?:father|mother|parent) of$/u, 'children', PERSON),
  rule(/\b(?:brother|sister|sibling) of$/u, 'sibling', PERSON),
  rule(
    /\b(?:educated at|graduated from|attended|studied at|degree from|alumn(?:us|a) of)$/u,
    'alumniOf',
    PERSON,
  ),
  rule(
    /\b(?:works? (?:for|at)|worked (?:for|at)|employed (?:by|at)|professor (?:[a-z]+ ){0,3}at)$/u,
    'worksFor',
    {
      ...PERSON,
      one: true,
    },
  ),
  rule(
    /\b(?:(?:member|captain|singer|drummer|bassist|guitarist|founder) of|(?:played|plays) for)$/u,
    'memberOf',
    {
      ...PERSON,
      one: true,
    },
  ),
  rule(/\b(?:won|awarded|received|recipient of|winner of)$/u, 'award', {
    has: /(?:award|prize|medal|oscar|grammy|fellowship|cup|order of)/u,
    one: true,
  }),
  rule(/\b(?:(?:located|situated) (?:in|at|on|near)|(?:headquartered|based) (?:in|at))$/u, 'location', {
    thing: true,
  }),
  rule(
    /\b(?:city|town|village|municipality|commune|suburb|neighbou?rhood|district|county|province|region|settlement|hamlet|township|borough|island|river|lake|mountain|capital)(?: (?:located|situated|and|city|town|largest|community|seat)){0,4} (?:in|of)$/u,
    'containedInPlace',
    { of: 'Place' },
  ),
  rule(/\b(?:part|episode|season|chapter) of$/u, 'isPartOf', { thing: true }),
  rule(/\b(?:based on|adapted from|adaptation of|sequel to|remake of|spin-off of)$/u, 'isBasedOn', WORK),
];

/** Between the trigger and the name: an article, where somebody is from, what somebody is. */
const FILLER =
  /^(?:[,:]|\s+(?:the|an?|its|his|her|their|novel|book|former|late|own))?(?:\s+\p{Lu}[\p{L}-]{2,}(?:an|ish|ese|ch|ic|i))?(?:\s+(?!(?:in|of|on|at|by|for|from|with|to|that|which|who|near|as|and|or)\s)[\p{Ll}-]{2,}){0,3}\s*["“'‘(]?$/u;
const NO_NAME = new Set(
  'january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday'.split(
    ' ',
  ),
);
/** Small words that follow a name and not an adjective. */
const FOLLOWS = new Set(
  'and or in on at by for from to of with who which that where when while as is was were are has had have but after before during until the a an'.split(
    ' ',
  ),
);
/** The name before on a list, and what was said of it. */
interface Listed {
  readonly rule: Rule;
  readonly by: string;
  readonly subject: string;
  readonly at: NameAt;
}

/** Characters before a name that are looked at. */
const REACH = 140;
const MOST = 40;

export function relationsIn(clause: Clause): Related[] {
  const { sentence, names, subject, from, sure } = clause;
  const found: Related[] = [];
  let last: Listed | null = null;
  for (const name of names) {
    if (found.length >= MOST) break;
    if (name.from < from || !mayBeObject(sentence, name)) continue;
    if (last !== null && !last.rule.one && isNext(sentence.slice(last.at.to, name.from))) {
      const { rule: before, by, subject: of }: Listed = last;
      last = { rule: before, by, subject: of, at: name };
      push(before, by, of, name, 0.9);
      continue;
    }
    last = null;
    const start = Math.max(from, name.from - REACH);
    const ends = endsOf(sentence.slice(start, name.from));
    for (const each of RULES) {
      const by = triggerOf(ends, each.before);
      if (by === null || (each.has !== undefined && !each.has.test(name.form))) continue;
      const of = whoOf(clause, start + by.at, subject);
      if (of === null || of === name.form) break;
      push(each, by.words, of, name, of === subject ? 1 : 0.85);
      last = { rule: each, by: by.words, subject: of, at: name };
      break;
    }
  }
  return found;

  function push(each: Rule, by: string, of: string, name: NameAt, share: number): void {
    if (of === name.form) return;
    const [who, whom] = each.inverse ? [name.form, of] : [of, name.form];
    found.push({
      ...{ subject: who, relation: each.relation, object: whom, sentence, by },
      surface: each.inverse ? (names.find(({ form }) => form === of)?.surface ?? of) : name.surface,
      confidence: Math.min(0.95, sure === 0 ? 0.8 : sure * share),
      of: each.inverse ? null : (each.of ?? null),
      thing: each.thing === true,
    });
  }
}

/** What stands before a name, without and with fillers left out. */
function endsOf(words: string): string[] {
  const ends: string[] = [];
  let end = words.trimEnd();
  // As many words as fillers have.
  for (let i = 0; i < 6 && end !== ''; i++) {
    if (FILLER.test(words.slice(end.length))) ends.push(end);
    const cut = end.lastIndexOf(' ');
    if (cut <= 0) break;
    end = end.slice(0, cut).trimEnd();
  }
  return ends;
}

/** The words of a rule, where one of these ends with them. */
function triggerOf(
  ends: readonly string[],
  pattern: RegExp,
): { readonly words: string; readonly at: number } | null {
  for (const end of ends) {
    const match = pattern.exec(end);
    if (match !== null) return { words: match[0], at: match.index };
  }
  return null;
}

/** Of whom the words at `at` speak: whoever stands before the last `who` or `which`, or else the sentence's subject. */
function whoOf({ sentence, names }: Clause, at: number, subject: string | null): string | null {
  const clause = [...sentence.slice(0, at).matchAll(/,?\s(?:who|whose|which|where|that)\s/gu)].at(-1);
  if (clause === undefined) {
    // After another verb with a subject of its own it may speak of that.
    return /;\s|,\s(?:and|but|while|whereas)\s(?:(?:the|his|her|its)\s)?\p{L}+\s(?:is|was|were|has|had)\s/u.test(
      sentence.slice(0, at),
    )
      ? null
      : subject;
  }
  return names.find(({ to }) => to === clause.index)?.form ?? null;
}

/** Months are no names here, and neither is `American` in `American actor`. */
function mayBeObject(sentence: string, { form, to, surface }: NameAt): boolean {
  if (NO_NAME.has(form) || /^\p{L}+(?:ish|ese)$|^(?:french|dutch)$/u.test(form)) return false;
  if (surface.includes(' ')) return true;
  const after = /^[\s-]([\p{L}-]+)/u.exec(sentence.slice(to, to + 40))?.[1];
  return after === undefined || isCapital(after) || FOLLOWS.has(after);
}

/** Whether a name goes on a list. */
function isNext(between: string): boolean {
  return /^(?:,|,? and|,? &|,\s?(?:and|as well as))\s(?:the )?$/u.test(between);
}
