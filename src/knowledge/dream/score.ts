/**
 * How complete the graph of a knowledge base is: of each name that matters whether its type is known, whether a sentence says what
 * it is, and how it stands to others.
 *
 * @module knowledge/dream/score
 */
import { type Graph, isGeneric } from '../graph/index.ts';
import { type Assertion, type Facts, factsOf, type KnowledgeStore } from '../store/index.ts';

/** Each pillar from 0 to 1. */
export interface Pillars {
  readonly type: number;
  readonly summary: number;
  /** Three relations are enough. */
  readonly relations: number;
}

export interface Completeness extends Pillars {
  /** Mean of the three, each name weighed by log2(1 + passages that name it). */
  readonly score: number;
  /** Names that matter: documents are about them, or several passages name them. */
  readonly entities: number;
  /** Names in all. */
  readonly names: number;
}

export interface EntityScore extends Pillars {
  readonly key: string;
  readonly score: number;
  /** Passages that name it. */
  readonly mentions: number;
  /** How much is to be gained by looking at it: mentions × questions that named it × what it lacks. */
  readonly gain: number;
}

/** Relations of a name at which nothing is missed. */
export const ENOUGH_RELATIONS = 3;
const BATCH = 1000;

/** What holds of every name of which something is said, by the name that it stands for. */
export interface AllFacts {
  of(key: string): Facts;
  /** Relations that lead to it from elsewhere. */
  into(key: string): number;
}

const NOTHING: Facts = { type: null, summary: null, weight: 1, relations: [], aliases: [], properties: [] };

export function readFacts(
  store: Pick<KnowledgeStore, 'allAssertions'>,
  { network }: Pick<Graph, 'network'>,
): AllFacts {
  const endOf = (form: string): string => {
    const entity = network.entityOf(form);
    return entity < 0 ? form : network.nameOf(entity);
  };
  const said = new Map<string, Assertion[]>();
  for (let after = 0; ; ) {
    const page = store.allAssertions({ after, limit: BATCH });
    for (const each of page) {
      const key = endOf(each.subject);
      const list = said.get(key);
      if (list === undefined) said.set(key, [each]);
      else list.push(each);
    }
    if (page.length < BATCH) break;
    after = page.at(-1)!.id;
  }
  const facts = new Map<string, Facts>();
  const into = new Map<string, number>();
  for (const [key, all] of said) {
    const holds = factsOf(all, endOf);
    facts.set(key, holds);
    for (const { object } of holds.relations) {
      const end = endOf(object ?? '');
      into.set(end, (into.get(end) ?? 0) + 1);
    }
  }
  return { of: (key) => facts.get(key) ?? NOTHING, into: (key) => into.get(key) ?? 0 };
}

/** Whether a name matters: a document is about it, or several passages name it, and it is no heading that all documents have. */
export function matters({ network }: Pick<Graph, 'network'>, entity: number): boolean {
  if (isGeneric(network.nameOf(entity))) return false;
  return network.frequency[entity]! > 1 || network.ownOf(entity).length > 0;
}

export function pillarsOf(facts: AllFacts, key: string): Pillars {
  const { type, summary, relations } = facts.of(key);
  return {
    type: type === null ? 0 : 1,
    summary: summary === null ? 0 : 1,
    relations: Math.min(1, (relations.length + facts.into(key)) / ENOUGH_RELATIONS),
  };
}

const mean = ({ type, summary, relations }: Pillars): number => (type + summary + relations) / 3;

export function completenessOf(graph: Pick<Graph, 'network'>, facts: AllFacts): Completeness {
  const { network } = graph;
  const sum = { type: 0, summary: 0, relations: 0 };
  let weights = 0;
  let entities = 0;
  for (let entity = 0; entity < network.frequency.length; entity++) {
    const mentions = network.frequency[entity]!;
    if (mentions === 0 || !matters(graph, entity)) continue;
    entities++;
    const pillars = pillarsOf(facts, network.nameOf(entity));
    const weight = Math.log2(1 + mentions);
    weights += weight;
    for (const name of ['type', 'summary', 'relations'] as const) sum[name] += weight * pillars[name];
  }
  const share = (value: number): number => (weights === 0 ? 0 : value / weights);
  const pillars = { type: share(sum.type), summary: share(sum.summary), relations: share(sum.relations) };
  return { ...pillars, score: mean(pillars), entities, names: network.entities };
}

/** Names that matter, those with the most to gain first; of equals by key. */
export function byGain(
  graph: Pick<Graph, 'network'>,
  facts: AllFacts,
  asked: (keys: readonly string[]) => ReadonlyMap<string, number>,
): EntityScore[] {
  const { network } = graph;
  const keys: string[] = [];
  const mentions: number[] = [];
  for (let entity = 0; entity < network.frequency.length; entity++) {
    if (network.frequency[entity] === 0 || !matters(graph, entity)) continue;
    keys.push(network.nameOf(entity));
    mentions.push(network.frequency[entity]!);
  }
  const times = asked(keys);
  return keys
    .map((key, i): EntityScore => {
      const pillars = pillarsOf(facts, key);
      const score = mean(pillars);
      const gain = mentions[i]! * (1 + (times.get(key) ?? 0)) * (1 - score);
      return { key, ...pillars, score, mentions: mentions[i]!, gain };
    })
    .sort((a, b) => b.gain - a.gain || (a.key < b.key ? -1 : 1));
}
