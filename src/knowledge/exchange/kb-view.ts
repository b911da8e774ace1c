/**
 * A knowledge base as notes show it: names of its graph, what is said about them, documents.
 *
 * @module knowledge/exchange/kb-view
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isDate } from '../graph/dates.ts';
import { type FollowingGraph, inForce } from '../graph/follow.ts';
import type { NameFacts } from '../graph/name-facts.ts';
import { isNational } from '../graph/type-words.ts';
import {
  type Assertion,
  factsOf,
  isBetter,
  type KnowledgeStore,
  namedBy,
  relationWord,
} from '../store/index.ts';
import type { EntityFacts, SourceFacts } from './types.ts';
import type { NotesView } from './view.ts';

export interface KbViewParts {
  readonly store: KnowledgeStore;
  readonly graph: FollowingGraph;
  /** How names are written, and of what type rules say they are. */
  readonly names: NameFacts;
  /** Folders that the KB follows: where the files of its documents are. */
  readonly folders: readonly { readonly folder: string; readonly under: string }[];
}

/** Chunks of an entity that are looked at for what else they name, and how many of those are kept. */
const MOST_CHUNKS = 200;
const MOST_BESIDE = 30;
/** Chunks that name both, of those that are named beside each other. */
const LEAST_BESIDE = 2;

/** Dates, and nations' adjectives, which stand everywhere, get no notes. */
const isTelling = (form: string): boolean => !isDate(form) && !isNational(form);

export async function createKbView({ store, graph, names, folders }: KbViewParts): Promise<NotesView> {
  const { network } = await graph.current();
  const ends = inForce(store.merges());
  const standsFor = (key: string): string => ends.get(key) ?? key;
  const forms = new Map<string, string[]>();
  for (const [alias, end] of ends) if (alias !== end) forms.set(end, [...(forms.get(end) ?? [end]), alias]);
  const formsOf = (key: string): readonly string[] => forms.get(standsFor(key)) ?? [standsFor(key)];

  const paths = new Map<number, string | null>();
  /** Null for a document that went since the graph was looked at. */
  const pathOf = (document: number): string | null => {
    let path = paths.get(document);
    if (path === undefined) {
      path = store.documentById(document)?.path ?? null;
      paths.set(document, path);
    }
    return path;
  };

  const spoken = new Set<string>();
  const said = new Set<string>();
  for (let after = 0; ; ) {
    const page = store.allAssertions({ after, limit: 1000 });
    if (page.length === 0) break;
    for (const { subject, object, by, denies } of page) {
      said.add(standsFor(subject));
      if (object !== null) said.add(standsFor(object));
      if (by === 'owner' && !denies) spoken.add(standsFor(subject));
    }
    after = page.at(-1)!.id;
    await setImmediate();
  }

  const of = (key: string) => {
    const forms = formsOf(key);
    const assertions = store.assertionsOf(forms);
    const facts = factsOf(assertions, standsFor);
    const ruled = names.typeOf(forms)?.type ?? null;
    const isRefused = assertions.some(
      ({ property, value, denies, supported }) =>
        property === 'type' && denies && supported && value === ruled,
    );
    return {
      ...{ assertions, facts, name: namedBy(facts) ?? names.writtenAs(standsFor(key)) },
      type: facts.type?.value ?? (isRefused ? null : ruled),
    };
  };
  const frequencyOf = (entity: number): number => (entity < 0 ? 0 : network.frequency[entity]!);

  function besides(entity: number): EntityFacts['beside'] {
    const { fromChunks, fromEntities } = network;
    const from = fromEntities.start[entity]!;
    const to = Math.min(fromEntities.start[entity + 1]!, from + MOST_CHUNKS);
    const shared = new Map<number, number>();
    for (const chunk of fromEntities.to.subarray(from, to))
      for (const other of fromChunks.to.subarray(fromChunks.start[chunk]!, fromChunks.start[chunk + 1]!))
        if (other !== entity) shared.set(other, (shared.get(other) ?? 0) + 1);
    return [...shared]
      .filter(([, chunks]) => chunks >= LEAST_BESIDE)
      .map(([other, chunks]) => ({ key: network.nameOf(other), chunks }))
      .sort((a, b) => b.chunks - a.chunks || (a.key < b.key ? -1 : 1))
      .slice(0, MOST_BESIDE);
  }

  function sourcesOf(entity: number): EntityFacts['sources'] {
    const { start, to } = network.fromEntities;
    const byDocument = new Map<number, number>();
    for (const chunk of to.subarray(start[entity]!, start[entity + 1]!)) {
      const document = names.rows.get(network.rows[chunk]!)?.document;
      if (document !== undefined) byDocument.set(document, (byDocument.get(document) ?? 0) + 1);
    }
    return [...byDocument]
      .flatMap(([document, mentions]) => {
        const path = pathOf(document);
        return path === null ? [] : [{ path, mentions }];
      })
      .sort((a, b) => b.mentions - a.mentions || (a.path < b.path ? -1 : 1));
  }

  return {
    id: store.id,
    name: store.name,
    standsFor,
    formsOf,
    has: (key) => network.entityOf(standsFor(key)) >= 0 || said.has(standsFor(key)),
    keys(least) {
      const keys = new Set(spoken);
      for (let entity = 0; entity < network.frequency.length; entity++)
        if (network.frequency[entity]! >= least && isTelling(network.nameOf(entity)))
          keys.add(network.nameOf(entity));
      return [...keys].filter((key) => standsFor(key) === key).sort();
    },
    basics(key) {
      const { type, name } = of(key);
      const mentions = frequencyOf(network.entityOf(standsFor(key)));
      return { name, type, mentions };
    },
    facts(key) {
      const stands = standsFor(key);
      const entity = network.entityOf(stands);
      const { assertions, facts, name, type } = of(stands);
      const refused = refusedAliases(assertions);
      const others = formsOf(stands).flatMap((form) => (form === stands ? [] : [names.writtenAs(form)]));
      const sources = entity < 0 ? [] : sourcesOf(entity);
      return {
        ...{ key: stands, name, type, summary: facts.summary?.value ?? null },
        aliases: [...facts.aliases.flatMap(({ value }) => value ?? []), ...others].filter(
          (alias) => alias !== name && !refused.has(alias),
        ),
        ...{ mentions: frequencyOf(entity), documents: sources.length, sources },
        relations: [
          ...facts.relations.flatMap((each) => {
            const { object, evidence } = each;
            const relation = relationWord(each);
            const target = standsFor(object ?? '');
            if (relation === null || target === stands || !isKey(target)) return [];
            return [{ property: relation, target, value: null, evidence: quoted(evidence, store) }];
          }),
          ...facts.properties.flatMap(({ property, value, evidence }) =>
            property === 'name' || value === null
              ? []
              : [{ property, target: null, value, evidence: quoted(evidence, store) }],
          ),
        ],
        beside: entity < 0 ? [] : besides(entity),
      };
    },
    source(path): SourceFacts | null {
      const document = store.document(path);
      if (document === null) return null;
      const home =
        store.file(path) === null ? undefined : folders.find(({ under }) => path.startsWith(under));
      const file = home === undefined ? null : join(home.folder, path.slice(home.under.length));
      return { path, title: document.title, type: document.type, file };
    },
  };
}

function quoted(
  evidence: Assertion['evidence'],
  store: KnowledgeStore,
): EntityFacts['relations'][number]['evidence'] {
  return evidence === null
    ? null
    : { quote: evidence.sentence, path: store.chunk(evidence.chunk)?.path ?? null };
}

/** Words and nothing that would end a link: what assertions are about need not be a form. */
function isKey(key: string): boolean {
  return /^[\p{L}\p{N}]+(?: [\p{L}\p{N}]+)*$/u.test(key);
}

function refusedAliases(assertions: readonly Assertion[]): ReadonlySet<string> {
  const best = new Map<string, Assertion>();
  for (const each of assertions) {
    if (each.property !== 'alias' || each.value === null || !each.supported) continue;
    const before = best.get(each.value);
    if (before === undefined || isBetter(each, before)) best.set(each.value, each);
  }
  return new Set([...best].flatMap(([value, { denies }]) => (denies ? [value] : [])));
}
