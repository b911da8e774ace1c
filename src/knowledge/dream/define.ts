/**
 * Sentences that say what something is: its type by the noun, and the sentence itself as its summary.
 *
 * @module knowledge/dream/define
 */
import type { EntityType } from '../store/index.ts';
import type { Clause } from './clauses.ts';
import { isKindOf, typeOfNoun } from './kinds.ts';

export interface Definition {
  readonly subject: string;
  readonly sentence: string;
  /** Null where the noun says nothing. */
  readonly type: EntityType | null;
  /** What it is called. */
  readonly noun: string;
  /** 0 to 1. */
  readonly confidence: number;
}

/** Nothing but an apposition stands between the name and the verb. */
const IS = /^["”'’]?(?:,[^,]{1,80},)?\s+(?:is|was|are|were)\s+(?:an?|the|one of the)\s+(.{1,240})/su;
/** Words behind the noun that something is said to be. */
const BEHIND =
  /[,;.:(]|\s[–—-]\s|\s\p{Ll}+(?:ed|ing) (?:in|by|to|at|on|for|from|of|as|with|over)\s|\s(?:of|in|by|from|at|on|for|with|who|whose|which|that|where|and|or|to|as|near|located|situated|directed|written|born|based|known|between|under|released|produced|held|fought|set|published|founded|established|starring|about|recorded|performed|consisting|featuring|made|created|developed)\s/u;
const LONGEST = 1000;

export function definitionIn({ sentence, subject, from, sure, opens }: Clause): Definition | null {
  if (subject === null || sentence.length > LONGEST) return null;
  const rest = sentence.slice(from).replace(/\s*\([^()]{0,300}\)/gu, '');
  const said = IS.exec(rest);
  if (said === null) return null;
  const phrase = `${said[1]!} `;
  const words =
    phrase.slice(0, BEHIND.exec(phrase)?.index ?? phrase.length).match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  const noun = words.at(-1) ?? '';
  if (noun === '') return null;
  const type = typeOfNoun(noun, words.at(-2));
  // Of itself a document begins with what it is; elsewhere a noun that says nothing is often an opinion.
  if (type === null && !opens) return null;
  return { subject, sentence, type, noun, confidence: sure * (opens ? 0.95 : 0.7) };
}

/** What a name is called right before it: `the actor Clark Gable`, `the city of Lima`. */
export interface Called {
  readonly subject: string;
  readonly type: EntityType;
  readonly noun: string;
}

const BEFORE = /(?:^|\s)(\p{Ll}{3,})(?:\s(of))?\s["“'‘`]{0,2}$/u;
/** Characters before a name that are looked at. */
const REACH = 40;

export function calledIn({ sentence, names }: Clause): Called[] {
  return names.flatMap(({ form, surface, from }): Called[] => {
    const [, noun, of] = BEFORE.exec(sentence.slice(Math.max(0, from - REACH), from)) ?? [];
    const type = noun === undefined ? null : typeOfNoun(noun);
    if (noun === undefined || type === null) return [];
    const isPlace = isKindOf(type, 'Place');
    // `the actor of Clark Gable` is another; of one word is also `the actor American`.
    if ((of === 'of') !== isPlace || (!isPlace && !surface.includes(' '))) return [];
    return [{ subject: form, type, noun }];
  });
}
