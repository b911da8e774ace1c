/**
 * Chunks and what is named in them as a network with weights, in the arrays that walks need.
 *
 * @module knowledge/graph/network
 */
import type { Entry } from './chunk-names.ts';

/** Compressed sparse rows: neighbours of node i are `to[start[i]]` to `to[start[i + 1] - 1]`. */
export interface Sparse {
  readonly start: Uint32Array;
  readonly to: Uint32Array;
  /** Of each edge; those that leave a node sum to 1. */
  readonly weight: Float64Array;
}

export interface Network {
  /** Row of each chunk, ascending. */
  readonly rows: Float64Array;
  /** Place of a row in `rows`; -1 when it is not there. */
  indexOf(row: number): number;
  /** Number of entities: names that some chunk has. */
  readonly entities: number;
  /** Entity of a normal form, through merges; -1 when no chunk names it. */
  entityOf(form: string): number;
  /** Its normal form. */
  nameOf(entity: number): string;
  /** In how many chunks each entity is named. */
  readonly frequency: Uint32Array;
  /** Rows of chunks of documents that have it as their title or alias, ascending, the first 1000; empty for most. */
  ownOf(entity: number): readonly number[];
  readonly fromChunks: Sparse;
  readonly fromEntities: Sparse;
  readonly sentences: Sentences;
}

/** Sentences that name two entities or more. Entities that are everywhere lead to none. */
export interface Sentences {
  /** Of entity i: `of[start[i]]` to `of[start[i + 1] - 1]`. */
  readonly start: Uint32Array;
  readonly of: Uint32Array;
  /** Entities of sentence s: `names[begin[s]]` to `names[begin[s + 1] - 1]`. */
  readonly begin: Uint32Array;
  readonly names: Uint32Array;
  /** Of each entity, as in the walk from a chunk; not normalised. */
  readonly worth: Float64Array;
}

/** How an entity stands in a chunk: of several ways the largest counts. */
export const KINDS = {
  ...{ name: 0, gazetteer: 1, tag: 2, model: 3, heading: 4, link: 5 },
  ...{ alias: 6, title: 7 },
} as const;
/** How much more likely a walk goes from an entity to a chunk that has it as heading or link than to one that names it. */
const FACTOR = [1, 1, 1, 1, 2, 2, 1, 1] as const;
const OWN = KINDS.alias;

export interface Weights {
  /** From an entity to the first chunk of a document that has it as title or alias. @default 15 */
  readonly own: number;
  /** And to the document's other chunks. @default 4 */
  readonly ownFurther: number;
  /** Of entities that are some document's title or alias. @default 4 */
  readonly title: number;
  /** Entities in more than this share of the chunks count `hubFactor` only. @default 0.02 */
  readonly hubShare: number;
  /** @default 0.02 */
  readonly hubFactor: number;
}

export const WEIGHTS: Weights = { own: 15, ownFurther: 4, title: 4, hubShare: 0.02, hubFactor: 0.02 };
/** Nothing is a hub that is in so few chunks. */
const LEAST_HUB = 12;
/** Chunks of an entity's own documents that are looked at. */
const MOST_OWN = 1000;

export interface Source {
  readonly entries: ReadonlyMap<number, Entry>;
  readonly ids: ReadonlyMap<string, number>;
  readonly forms: readonly string[];
  /** Entities that stand for another. */
  readonly stands: ReadonlyMap<number, number>;
  /** Share that an entity counts, where that is not all. */
  readonly less?: ReadonlyMap<number, number>;
}

/** Sums are taken by rows and by mentions, never by the numbers of entities: how the graph came about does not change a bit. */
export function compileNetwork(source: Source, given: Partial<Weights> = {}): Network {
  const weights = { ...WEIGHTS, ...given };
  const { forms, ids, stands } = source;
  const rows = Float64Array.from(source.entries.keys()).sort();
  const frequency = new Uint32Array(forms.length);
  const isTitle = new Uint8Array(forms.length);
  const lists: { readonly ids: Uint32Array; readonly kinds: Uint8Array; readonly position: number }[] = [];
  let edges = 0;
  for (const row of rows) {
    const entry = source.entries.get(row)!;
    const all = edgesOf(entry, stands);
    for (let i = 0; i < all.ids.length; i++) {
      frequency[all.ids[i]!]!++;
      if (all.kinds[i]! >= OWN) isTitle[all.ids[i]!] = 1;
    }
    edges += all.ids.length;
    lists.push({ ...all, position: entry.position });
  }
  const hub = Math.max(LEAST_HUB, weights.hubShare * rows.length);
  const worth =
    frequency.length === 0
      ? new Float64Array(0)
      : Float64Array.from(frequency, (count, id) =>
          count === 0
            ? 0
            : Math.log(1 + rows.length / count) *
              (isTitle[id] === 1 ? weights.title : 1) *
              (count > hub ? weights.hubFactor : 1) *
              (source.less?.get(id) ?? 1),
        );
  const fromChunks = sparse(rows.length, edges);
  const fromEntities = sparse(forms.length, edges);
  for (let id = 0; id < forms.length; id++)
    fromEntities.start[id + 1] = fromEntities.start[id]! + frequency[id]!;
  const next = fromEntities.start.slice();
  const own = new Map<number, number[]>();
  // As much as the rarest name: that a document is about it does not count less because many speak of it.
  const most = Math.log(1 + rows.length);
  let at = 0;
  lists.forEach((list, chunk) => {
    for (let i = 0; i < list.ids.length; i++) {
      const id = list.ids[i]!;
      const kind = list.kinds[i]!;
      let weight = worth[id]! * FACTOR[kind]!;
      if (kind >= OWN) {
        weight = Math.max(worth[id]!, most) * (list.position === 0 ? weights.own : weights.ownFurther);
        const chunks = own.get(id) ?? [];
        if (chunks.length < MOST_OWN) chunks.push(rows[chunk]!);
        own.set(id, chunks);
      }
      fromChunks.to[at] = id;
      fromChunks.weight[at++] = worth[id]!;
      const slot = next[id]!++;
      fromEntities.to[slot] = chunk;
      fromEntities.weight[slot] = weight;
    }
    fromChunks.start[chunk + 1] = at;
  });
  normalise(fromChunks);
  normalise(fromEntities);
  const places = new Map(Array.from(rows, (row, i) => [row, i]));
  return {
    ...{ rows, frequency, fromChunks, fromEntities },
    sentences: sentencesOf(rows, source, frequency, worth, hub),
    entities: frequency.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0),
    indexOf: (row) => places.get(row) ?? -1,
    entityOf(form) {
      const id = ids.get(form);
      const end = id === undefined ? undefined : (stands.get(id) ?? id);
      // Forms that came after this was made are not in it.
      return end === undefined || end >= frequency.length || frequency[end] === 0 ? -1 : end;
    },
    nameOf: (entity) => forms[entity]!,
    ownOf: (entity) => own.get(entity) ?? [],
  };
}

/** In the order of rows and of each text, as everything here. */
function sentencesOf(
  rows: Float64Array,
  { entries, stands }: Source,
  frequency: Uint32Array,
  worth: Float64Array,
  hub: number,
): Sentences {
  const begin = [0];
  const names: number[] = [];
  const start = new Uint32Array(frequency.length + 1);
  for (const row of rows) {
    const all = entries.get(row)!.sentences;
    for (let at = 0; at < all.length; at += all[at]! + 1) {
      const ids = new Set<number>();
      for (let i = at + 1; i <= at + all[at]!; i++) ids.add(stands.get(all[i]!) ?? all[i]!);
      if (ids.size < 2) continue;
      for (const id of ids) {
        names.push(id);
        if (frequency[id]! <= hub) start[id + 1]!++;
      }
      begin.push(names.length);
    }
  }
  for (let id = 0; id < frequency.length; id++) start[id + 1]! += start[id]!;
  const next = start.slice();
  const of = new Uint32Array(start.at(-1)!);
  for (let sentence = 0; sentence + 1 < begin.length; sentence++)
    for (let i = begin[sentence]!; i < begin[sentence + 1]!; i++) {
      const id = names[i]!;
      if (frequency[id]! <= hub) of[next[id]!++] = sentence;
    }
  return { start, of, begin: Uint32Array.from(begin), names: Uint32Array.from(names), worth };
}

/** Each entity once, the strongest way it stands there. */
function edgesOf({ ids, kinds, found }: Entry, stands: ReadonlyMap<number, number>) {
  const strongest = new Map<number, number>();
  const add = (id: number, kind: number): void => {
    const end = stands.get(id) ?? id;
    strongest.set(end, Math.max(strongest.get(end) ?? 0, kind));
  };
  ids.forEach((id, i) => {
    add(id, kinds[i]!);
  });
  for (const id of found) add(id, KINDS.gazetteer);
  return { ids: Uint32Array.from(strongest.keys()), kinds: Uint8Array.from(strongest.values()) };
}

function sparse(nodes: number, edges: number): Sparse {
  return {
    start: new Uint32Array(nodes + 1),
    to: new Uint32Array(edges),
    weight: new Float64Array(edges),
  };
}

function normalise({ start, weight }: Sparse): void {
  for (let node = 0; node + 1 < start.length; node++) {
    let sum = 0;
    for (let i = start[node]!; i < start[node + 1]!; i++) sum += weight[i]!;
    if (sum > 0) for (let i = start[node]!; i < start[node + 1]!; i++) weight[i] = weight[i]! / sum;
  }
}
