/**
 * The graph of a knowledge base as people see it: names as they are written, of a type, in communities. A scene is of one version of
 * the graph; what is costly in it is made when first asked for.
 *
 * @module node/knowledge/graph-scene
 */
import { KithError } from '../../base/index.ts';
import {
  type Assertion,
  type Communities,
  communitiesOf,
  type FollowingFacts,
  factsOf,
  followFacts,
  type Graph,
  inForce,
  isDate,
  isNational,
  type KnowledgeStore,
  type NameFacts,
  type Network,
  namedBy,
  normalForm,
  TYPES,
  weightiest,
} from '../../knowledge/index.ts';
import type { EntityView, Said } from '../../server/index.ts';
import type { OpenKb } from './kbs.ts';

/** Dates stand in the timeline, and nations' adjectives everywhere: neither is listed or drawn. */
const isPlain = (form: string): boolean => !isDate(form) && !isNational(form);

export interface Typed {
  readonly type: string;
  readonly said: Said;
}

export interface Scene {
  readonly store: KnowledgeStore;
  readonly network: Network;
  readonly facts: NameFacts;
  /** Entities that tell something, those in the most chunks first. */
  readonly order: readonly number[];
  /** Of a key itself; of a name as it is written the form under which it is compared. */
  formOf(key: string): string;
  /** @throws KithError `entity_unknown` */
  entityOf(key: string): number;
  /** Its own form, then those that are merged into it. */
  formsOf(entity: number): readonly string[];
  nameOf(entity: number): string;
  /** No date, no nation's adjective, and more than a part of how documents are built. */
  isTelling(entity: number): boolean;
  typeOf(entity: number): Typed | null;
  viewOf(entity: number, aliases?: number): EntityView;
  communities(): Promise<Communities>;
  /** Made once for each key, and forgotten with the scene. */
  remember<T>(key: string, make: () => Promise<T>): Promise<T>;
}

interface Board {
  readonly facts: FollowingFacts;
  scene: Scene | null;
  graph: Graph | null;
  /** Of the last communities that were made, by key. */
  communities: ReadonlyMap<string, number> | null;
}

/** Of drawings and the like. */
const MOST_REMEMBERED = 8;
const PAGE = 1000;
const MOST_ALIASES = 10;

/** A board is kept as long as its knowledge base is open. */
const boards = new WeakMap<KnowledgeStore, Board>();

export async function sceneOf({ store, graph: following }: Pick<OpenKb, 'store' | 'graph'>): Promise<Scene> {
  const board = boards.get(store) ?? {
    facts: followFacts(store),
    scene: null,
    graph: null,
    communities: null,
  };
  boards.set(store, board);
  const facts = await board.facts.current();
  const graph = await following.current();
  if (board.scene === null || board.graph !== graph) {
    board.graph = graph;
    board.scene = createScene(store, graph, facts, board);
  }
  return board.scene;
}

function createScene(store: KnowledgeStore, { network }: Graph, facts: NameFacts, board: Board): Scene {
  const merged = new Map<string, string[]>();
  for (const [alias, form] of inForce(store.merges()))
    if (alias !== form) merged.set(form, [...(merged.get(form) ?? []), alias].sort());
  const typed = asserted(store, 'type');
  const named = asserted(store, 'name');
  const formsOf = (entity: number): readonly string[] => {
    const form = network.nameOf(entity);
    return [form, ...(merged.get(form) ?? [])];
  };
  const typeOf = (entity: number): Typed | null => {
    const forms = formsOf(entity);
    const ruled = facts.typeOf(forms);
    if (forms.some((form) => typed.has(form))) {
      const said = store.assertionsOf(forms);
      const { type } = factsOf(said);
      if (type !== null && type.value !== null && (type.by !== 'model' || ruled === null))
        return { type: type.value, said: { by: type.by, why: whyOf(type) } };
      const isDenied = ({ property, value, denies, supported }: Assertion): boolean =>
        property === 'type' && denies && supported && value === ruled?.type;
      if (said.some(isDenied)) return null;
    }
    return ruled === null ? null : { type: ruled.type, said: { by: 'rule', why: ruled.why } };
  };
  const formOf = (key: string): string => (network.entityOf(key) >= 0 ? key : normalForm(key));
  const nameOf = (entity: number): string => {
    const forms = formsOf(entity);
    // Its owner's word counts before how it is mostly written.
    const given = forms.some((form) => named.has(form)) ? namedBy(factsOf(store.assertionsOf(forms))) : null;
    return given ?? facts.writtenAs(network.nameOf(entity));
  };
  const isTelling = (entity: number): boolean => {
    const form = network.nameOf(entity);
    if (!isPlain(form)) return false;
    return !facts.isStructure(form, network.frequency[entity]!, network.ownOf(entity).length > 0);
  };
  const tells = (form: string): boolean => isTelling(network.entityOf(form));
  const documents = new Map<number, number>();
  let order: number[] | null = null;
  let communities: Promise<Communities> | null = null;
  const remembered = new Map<string, Promise<unknown>>();
  return {
    ...{ store, network, facts, formOf, formsOf, typeOf, nameOf, isTelling },
    get order() {
      order ??= weightiest(network, tells);
      return order;
    },
    entityOf(key) {
      const entity = network.entityOf(formOf(key));
      if (entity < 0)
        throw new KithError(
          'entity_unknown',
          `Nothing in this knowledge base is named '${key.slice(0, 100)}'. Names are listed by \`kith rag graph NAME entities --prefix TEXT\`.`,
          { status: 404, details: { entity: key.slice(0, 200) } },
        );
      return entity;
    },
    viewOf(entity, most = MOST_ALIASES) {
      const key = network.nameOf(entity);
      const name = nameOf(entity);
      let count = documents.get(entity);
      if (count === undefined) {
        count = documentsOf(network, facts, entity).size;
        documents.set(entity, count);
      }
      return {
        ...{ key, name, type: typeOf(entity)?.type ?? null },
        aliases: aliasesOf(entity, name).slice(0, most),
        mentions: network.frequency[entity]!,
        documents: count,
        community: board.communities?.get(key) ?? null,
      };
    },
    communities() {
      communities ??= communitiesOf(network, { leaves: (form) => !tells(form) }).then((made) => {
        board.communities = new Map(
          made.members.flatMap((members, id) =>
            members.map((entity) => [network.nameOf(entity), id] as const),
          ),
        );
        return made;
      });
      communities.catch(() => {
        communities = null;
      });
      return communities;
    },
    remember<T>(key: string, make: () => Promise<T>): Promise<T> {
      const before = remembered.get(key) as Promise<T> | undefined;
      if (before !== undefined) return before;
      const made = make();
      remembered.set(key, made);
      made.catch(() => remembered.delete(key));
      if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!);
      return made;
    },
  };

  /** What it is merged with, what the one document about it is also called, what was said of it. */
  function aliasesOf(entity: number, name: string): string[] {
    const [, ...forms] = formsOf(entity);
    const aliases = forms.map((form) => facts.writtenAs(form));
    const known = network
      .ownOf(entity)
      .slice(0, PAGE)
      .flatMap((row) => {
        const names = facts.rows.get(row)?.known ?? [];
        return names.length === 0 ? [] : [names];
      });
    if (known.length === 1) aliases.push(...known[0]!);
    for (const { value } of factsOf(store.assertionsOf(formsOf(entity))).aliases) aliases.push(value ?? '');
    const seen = new Set(['', normalForm(name)]);
    return aliases.filter((alias) => {
      const form = normalForm(alias);
      if (seen.has(form)) return false;
      seen.add(form);
      return true;
    });
  }
}

export function documentsOf(network: Network, facts: NameFacts, entity: number): Set<number> {
  const documents = new Set<number>();
  for (const row of rowsOf(network, entity)) {
    const document = facts.rows.get(row)?.document;
    if (document !== undefined) documents.add(document);
  }
  return documents;
}

/** Rows of the chunks that name it, ascending. */
export function* rowsOf(
  { fromEntities: { start, to }, rows }: Network,
  entity: number,
): IterableIterator<number> {
  for (let i = start[entity]!; i < start[entity + 1]!; i++) yield rows[to[i]!]!;
}

/** Whether a type is another, or one below it. */
export function isA(type: string, wanted: string): boolean {
  for (let at = type; ; ) {
    if (at === wanted) return true;
    const above = Object.hasOwn(TYPES, at) ? TYPES[at as keyof typeof TYPES] : at;
    // Everything is a thing: only what is nothing more is meant by it.
    if (above === at || above === 'Thing') return false;
    at = above;
  }
}

/** Names of which somebody said this. */
function asserted(store: KnowledgeStore, property: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (let after = 0; ; ) {
    const page = store.allAssertions({ property, after, limit: PAGE });
    for (const { subject } of page) names.add(subject);
    if (page.length < PAGE) return names;
    after = page.at(-1)!.id;
  }
}

export function whyOf({
  reason,
  model,
  by,
}: {
  reason: string;
  model: string | null;
  by: Said['by'];
}): string {
  if (reason !== '') return reason;
  return by === 'owner' ? 'its owner said so' : model === null ? 'a rule' : `read by ${model}`;
}
