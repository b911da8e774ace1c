/**
 * What passages say of names without a model: gathered over all of them, then the best of each name.
 *
 * @module knowledge/dream/harvest
 */
import { normalForm, shortTitle } from '../graph/normal.ts';
import type { EntityType, NewAssertion, Relation } from '../store/index.ts';
import type { Property } from '../types.ts';
import { clausesIn } from './clauses.ts';
import { calledIn, definitionIn } from './define.ts';
import { type Field, fieldLines, fieldsOf } from './fields.ts';
import { isKindOf } from './kinds.ts';
import { relationsIn } from './relate.ts';

export interface Passage {
  /** Id of the chunk. */
  readonly id: string;
  readonly position: number;
  /** Title of its document, and headings behind ` › `. */
  readonly title: string;
  readonly text: string;
  /** Of its document; given with the first chunk alone. */
  readonly properties: Readonly<Record<string, Property>> | null;
}

type Found = Omit<NewAssertion, 'made' | 'run' | 'by'>;

interface Best {
  readonly value: string;
  readonly sentence: string;
  readonly chunk: string;
  readonly reason: string;
  readonly confidence: number;
}

interface Said {
  type: Best | null;
  summary: Best | null;
  readonly relations: Map<string, Related>;
}

interface Related extends Best {
  readonly relation: Relation;
  readonly object: string;
  readonly of: EntityType | null;
  readonly thing: boolean;
}

/** Relations that rules find of one name. */
const MOST_RELATIONS = 50;
/** What is less sure is not said. */
const LEAST = 0.5;
/** What stands in a document's own head is hardly wrong. */
const FIELD = 0.95;
const LONGEST_SUMMARY = 1000;
/** How sure a type is by the word before a name, and by what it is to another. */
const CALLED = 0.65;
const RANGE = 0.6;
/** What the objects of relations are. */
const RANGES: Partial<Record<Relation, EntityType>> = {
  ...{ director: 'Person', actor: 'Person', author: 'Person', translator: 'Person', spouse: 'Person' },
  ...{ parent: 'Person', children: 'Person', sibling: 'Person', birthPlace: 'Place', deathPlace: 'Place' },
  ...{ location: 'Place', containedInPlace: 'Place', alumniOf: 'Organization', publisher: 'Organization' },
};

export class Harvest {
  readonly #said = new Map<string, Said>();
  readonly #isName: (form: string) => boolean;

  /** @param isName whether the knowledge base names it: nothing is said of others, or leads to them */
  constructor(isName: (form: string) => boolean) {
    this.#isName = isName;
  }

  get size(): number {
    return this.#said.size;
  }

  /** The names that something was found of. */
  subjects(): string[] {
    return [...this.#said.keys()];
  }

  read({ id, position, title, text, properties }: Passage): void {
    const name = title.split(' › ')[0]!;
    const about = normalForm(name);
    const short = normalForm(shortTitle(name) ?? '');
    if (about !== '' && this.#isName(about)) {
      if (properties !== null)
        for (const field of fieldsOf(properties, this.#isName))
          this.#field(about, field, id, 'the head of its document');
      for (const field of fieldLines(text, this.#isName))
        this.#field(about, field, id, 'a line of its document');
    }
    for (const clause of clausesIn(text, { title, position })) {
      const definition = definitionIn(clause);
      if (definition !== null && this.#isName(definition.subject)) {
        const { subject, sentence, type, noun, confidence } = definition;
        const reason = `it is called '${noun}'`;
        const said = this.#of(subject);
        const found = { sentence, chunk: id, reason, confidence };
        if (type !== null) said.type = better(said.type, { ...found, value: type });
        if (clause.isNamed && sentence.length <= LONGEST_SUMMARY)
          said.summary = better(said.summary, { ...found, value: sentence });
      }
      for (const { subject, type, noun } of calledIn(clause))
        if (this.#isName(subject))
          this.#typed(subject, type, clause.sentence, id, `it is called '${noun}'`, CALLED);
      for (const { subject, relation, object, surface, sentence, by, confidence, of, thing } of relationsIn(
        clause,
      )) {
        if (!this.#isName(subject) || !this.#isName(object) || confidence < LEAST) continue;
        // `Dust (film)`, after the play `Dust`: both are one name here.
        if (subject === about && object === short) continue;
        this.#relate(subject, {
          ...{ relation, object, value: surface, sentence, chunk: id, confidence, of, thing },
          reason: `'${by}'`,
        });
        const range = RANGES[relation];
        if (range !== undefined && object !== subject)
          this.#typed(object, range, sentence, id, `it is the ${relation} of something`, RANGE);
      }
    }
  }

  /** What was found of a name, to be asserted; types, summary, then relations, the surest first. */
  of(subject: string): Found[] {
    const said = this.#said.get(subject);
    if (said === undefined) return [];
    const { type, summary } = said;
    const found: Found[] = [];
    const add = (property: string, best: Best): void => {
      const { value, sentence, chunk, reason, confidence } = best;
      found.push({ subject, property, value, evidence: { chunk, sentence }, reason, confidence });
    };
    if (type !== null && type.confidence >= LEAST) add('type', type);
    if (summary !== null && summary.confidence >= LEAST) add('summary', summary);
    const relations = [...said.relations.values()].filter(({ of, thing }) => {
      if (type === null) return true;
      if (thing && isKindOf(type.value, 'Person')) return false;
      return of === null || isKindOf(type.value, of);
    });
    relations.sort(
      (a, b) => b.confidence - a.confidence || (a.object < b.object ? -1 : a.object > b.object ? 1 : 0),
    );
    for (const each of relations.slice(0, MOST_RELATIONS)) {
      const { relation, object, value, sentence, chunk, reason, confidence } = each;
      found.push({
        ...{ subject, property: 'relation', relation, object, value, reason, confidence },
        evidence: { chunk, sentence },
      });
    }
    return found;
  }

  #field(
    subject: string,
    { relation, object, surface, sentence }: Field,
    chunk: string,
    where: string,
  ): void {
    if (subject === object) return;
    this.#relate(subject, {
      ...{ relation, object, value: surface, sentence, chunk, confidence: FIELD, of: null, thing: false },
      reason: where,
    });
  }

  #typed(
    subject: string,
    type: EntityType,
    sentence: string,
    chunk: string,
    reason: string,
    confidence: number,
  ): void {
    const said = this.#of(subject);
    said.type = better(said.type, { value: type, sentence, chunk, reason, confidence });
  }

  #relate(subject: string, related: Related): void {
    const { relations } = this.#of(subject);
    const key = `${related.relation}\0${related.object}`;
    const before = relations.get(key);
    if (before === undefined && relations.size >= 4 * MOST_RELATIONS) return;
    if (before === undefined || isSurer(related, before)) relations.set(key, related);
  }

  #of(subject: string): Said {
    let said = this.#said.get(subject);
    if (said === undefined) {
      said = { type: null, summary: null, relations: new Map() };
      this.#said.set(subject, said);
    }
    return said;
  }
}

function better(before: Best | null, now: Best): Best {
  return before === null || isSurer(now, before) ? now : before;
}

/** Of equally sure ones the lesser id of the chunk: the order of reading does not count. */
function isSurer(a: Best, b: Best): boolean {
  return (
    a.confidence > b.confidence ||
    (a.confidence === b.confidence && (a.chunk < b.chunk || (a.chunk === b.chunk && a.sentence < b.sentence)))
  );
}
