/**
 * What holds of what is said: the owner's word before a rule's, a rule's before a model's, the newest of equals. A rule quotes a sentence
 * of a sure form; a model that reads the same may be wrong in ways that no check of its words finds.
 *
 * @module knowledge/store/facts
 */
import { type Asserter, type Assertion, type Facts, SINGLE } from './assertion-types.ts';

const RANK: Readonly<Record<Asserter, number>> = { model: 1, rule: 2, owner: 3 };

/** Whether what `a` says counts before what `b` says. */
export function isBetter(a: Assertion, b: Assertion): boolean {
  return (RANK[a.by] - RANK[b.by] || a.id - b.id) > 0;
}

/**
 * @param assertions of one name (and of those merged into it), as `assertionsOf` gives them
 * @param standsFor the name that an object is merged into, so that one relation is not told twice @default itself
 */
export function factsOf(
  assertions: readonly Assertion[],
  standsFor: (name: string) => string = (name) => name,
): Facts {
  const best = new Map<string, Assertion>();
  for (const each of assertions) {
    if (each.undone !== null || !each.supported) continue;
    const key = keyOf(each, standsFor);
    const before = best.get(key);
    if (before === undefined || isBetter(each, before)) best.set(key, each);
  }
  const holds = [...best].filter(([, { denies }]) => !denies).sort(([a], [b]) => (a < b ? -1 : 1));
  const of = (property: string): Assertion[] =>
    holds.flatMap(([, each]) => (each.property === property ? [each] : []));
  const one = (property: string): Assertion | null => {
    let found: Assertion | null = null;
    for (const each of of(property)) if (found === null || isBetter(each, found)) found = each;
    return found;
  };
  const weight = Number(one('weight')?.value ?? 1);
  const apart = new Set<string>([...SINGLE, 'relation', 'alias']);
  return {
    type: one('type'),
    summary: one('summary'),
    weight: weight >= 0 && weight <= 1 ? weight : 1,
    relations: of('relation'),
    aliases: of('alias'),
    properties: holds.flatMap(([, each]) => (apart.has(each.property) ? [] : [each])),
  };
}

/** What a relation is called: as Kith has it, or the owner's own word where Kith has none. */
export function relationWord({
  relation,
  value,
  by,
}: Pick<Assertion, 'relation' | 'value' | 'by'>): string | null {
  // A model's value is how the object is written.
  return relation === 'relatedTo' && by === 'owner' && value !== null ? value : relation;
}

/** The name that the owner gave; null when none was given. */
export function namedBy({ properties }: Pick<Facts, 'properties'>): string | null {
  let best: Assertion | null = null;
  for (const each of properties)
    if (each.property === 'name' && (best === null || each.id > best.id)) best = each;
  return best?.value ?? null;
}

/** Two assertions with one key say the same, or that it is not so. */
function keyOf(assertion: Assertion, standsFor: (name: string) => string): string {
  const { property, object, value } = assertion;
  return property === 'relation'
    ? `${property}\0${relationWord(assertion)}\0${standsFor(object ?? '')}`
    : `${property}\0${value ?? ''}`;
}
