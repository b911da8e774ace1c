/**
 * Which backend answers for which model name: ids, the aliases `fast`, `quality` and `embedding`, and the models that
 * agents were given.
 *
 * @module gateway/policy/catalogue
 */

import { limitsFor, type TimeLimits } from '../resilience/index.ts';
import type { Backend, BackendModel } from '../types.ts';
import type { Candidate } from './types.ts';

export const modelAliases = ['fast', 'quality', 'embedding'] as const;
export type ModelAlias = (typeof modelAliases)[number];

export interface Provider {
  readonly backend: Backend;
  /** @default the backend's name */
  readonly group?: string;
  /** What each alias means there; a backend without one does not answer for it. */
  readonly aliases?: Readonly<Partial<Record<ModelAlias, string>>>;
  /** It answers for ids that it does not list, too. @default false */
  readonly anyModel?: boolean;
  readonly region?: string;
  /** It runs on a machine of the owner. @default false */
  readonly ownMachine?: boolean;
  /** What its models can do unless `facts` says otherwise. @default what most servers do: tools and JSON */
  readonly abilities?: Partial<ModelFacts>;
  /** What is known of single models. */
  readonly facts?: Readonly<Record<string, Partial<ModelFacts>>>;
}

export interface ModelFacts {
  readonly context: number | null;
  readonly parameters: number | null;
  readonly quality: number;
  readonly tools: boolean;
  readonly json: boolean;
  readonly vision: boolean;
  readonly continues: boolean;
  readonly price: Candidate['price'];
  /** @default by the number of parameters */
  readonly limits: TimeLimits | null;
}

export interface CatalogueOptions {
  /** In the owner's order. */
  readonly providers: readonly Provider[];
  /** How many of them, from the first, the owner ordered; the others share the place after those. @default all */
  readonly own?: number;
  /** What backends said they have, shared with the catalogues before and after this one. @default its own */
  readonly listings?: Listings;
  /** Model or alias for each agent. @default none */
  readonly agents?: Readonly<Record<string, string>>;
}

/** What backends said they have, by the backend's name and the model's id. */
export interface Listings {
  readonly rows: Map<string, ReadonlyMap<string, BackendModel>>;
  /** Changes with the rows. */
  version: number;
}

export interface Catalogue {
  /** Candidates for a name as a caller writes it, in the owner's order. Null or `default`: what the agent, else each backend, is set to. */
  candidates(name: string | null, task: 'chat' | 'embedding', agent?: string | null): readonly Candidate[];
  /** Asks backends what they have. One that does not answer keeps what it had. Never throws. */
  refresh(backend?: string): Promise<void>;
  /** What the backend said it had when it was last asked. */
  listed(backend: string): readonly BackendModel[];
}

const unknown: ModelFacts = {
  context: null,
  parameters: null,
  quality: 0,
  tools: true,
  json: true,
  vision: false,
  continues: false,
  price: null,
  limits: null,
};

/** Names come from callers: this many answers are kept. */
const maxKept = 1000;

export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { providers, own: ordered = providers.length, agents = {} } = options;
  const { listings = { rows: new Map(), version: 0 } } = options;
  const rowOf = ({ backend }: Provider, model: string) => listings.rows.get(backend.name)?.get(model);
  let { version } = listings;
  const kept = new Map<string, readonly Candidate[]>();

  function candidate(provider: Provider, order: number, model: string): Candidate {
    const row = rowOf(provider, model);
    const own =
      provider.facts !== undefined && Object.hasOwn(provider.facts, model) ? provider.facts[model] : {};
    const { limits, parameters, ...facts } = {
      ...unknown,
      ...(row === undefined ? {} : { context: row.context }),
      ...provider.abilities,
      ...own,
    };
    return {
      backend: provider.backend,
      group: provider.group ?? provider.backend.name,
      region: provider.region ?? null,
      model,
      order: Math.min(order, ordered),
      ...facts,
      limits: limits ?? limitsFor({ parameters, ownMachine: provider.ownMachine ?? false }),
    };
  }

  /** What a name means at one backend; null when it does not answer for it. */
  function modelAt(provider: Provider, name: string | null, task: 'chat' | 'embedding'): string | null {
    if (name === null || name === 'default') return provider.backend.defaultModel(task);
    // A backend whose own model has such a name is meant by it.
    if (rowOf(provider, name) !== undefined) return name;
    if (isAlias(name)) return provider.aliases?.[name] ?? null;
    return provider.anyModel === true || isNamed(provider, name, task) ? name : null;
  }

  return {
    candidates(name, task, agent = null) {
      const isOpen = name === null || name === 'default';
      const given = isOpen && agent !== null && Object.hasOwn(agents, agent) ? agents[agent]! : name;
      const key = `${task} ${given ?? ''}`;
      if (version !== listings.version) {
        kept.clear();
        ({ version } = listings);
      }
      const before = kept.get(key);
      if (before !== undefined) return before;
      const found = providers.flatMap((provider, order) => {
        const model = modelAt(provider, given, task);
        return model === null ? [] : [candidate(provider, order, model)];
      });
      if (kept.size >= maxKept) kept.delete(kept.keys().next().value!);
      kept.set(key, found);
      return found;
    },
    async refresh(backend) {
      await Promise.all(
        providers.map(async ({ backend: one }) => {
          if (backend !== undefined && one.name !== backend) return;
          try {
            const rows = await one.models();
            listings.rows.set(one.name, new Map(rows.map((row) => [row.id, row])));
          } catch {
            // Its health says why; until it answers, what it had stands.
          }
        }),
      );
      listings.version++;
    },
    listed: (backend) => [...(listings.rows.get(backend)?.values() ?? [])],
  };
}

/** The owner wrote that the backend has it, as its default or for an alias: not every server lists what it has. */
function isNamed({ backend, aliases = {} }: Provider, name: string, task: 'chat' | 'embedding'): boolean {
  if (backend.defaultModel(task) === name) return true;
  return modelAliases.some(
    (alias) => aliases[alias] === name && (alias === 'embedding') === (task === 'embedding'),
  );
}

export function isAlias(name: string): name is ModelAlias {
  return (modelAliases as readonly string[]).includes(name);
}
