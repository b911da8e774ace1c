/**
 * What a node does for peers: whom its owner lets ask its engine for what, and what others are told of it.
 *
 * @module node/swarm-serving
 */
import type { Config } from '../base/index.ts';
import type { PeerServiceOptions, ServingPolicy } from '../gateway/index.ts';
import type { ModelStore } from '../models/index.ts';
import type { Offer } from '../swarm/index.ts';
import type { BlockOffer } from './shards/types.ts';

/** Null: nobody is served. */
export function servingPolicy({ swarm }: Config): ServingPolicy | null {
  const { friends, serveTier, serveModels, serveHours } = swarm;
  if (serveModels.length === 0 || (friends.length === 0 && serveTier === 'nobody')) return null;
  return {
    peers: friends,
    minTier: serveTier === 'nobody' ? null : serveTier,
    models: serveModels,
    maxConcurrent: swarm.serveLeases,
    maxPerPeer: Math.min(swarm.serveLeasesPerPeer, swarm.serveLeases),
    tokensPerMinute: swarm.serveTokensPerMinute,
    maxTokens: swarm.serveMaxTokens,
    leaseMs: swarm.serveLeaseMs,
    hours: serveHours === '' ? null : hoursOf(serveHours),
  };
}

/** Minutes since midnight of `22:00-07:30`. */
export function hoursOf(text: string): { readonly from: number; readonly to: number } {
  const [from, to] = text.split('-').map((time) => {
    const [hour, minute] = time.split(':').map(Number) as [number, number];
    return 60 * hour + minute;
  }) as [number, number];
  return { from, to };
}

export interface OfferFacts {
  readonly addresses: readonly string[];
  readonly relayed: boolean;
  readonly protocols: readonly string[];
  readonly regions: readonly string[];
  /** What the node itself does, as words: on which terms peers may keep something here. @default nothing */
  readonly serves?: readonly string[];
}

/** What is said of the node itself. */
export function ownOffer({ addresses, relayed, protocols, regions, serves = [] }: OfferFacts): Offer {
  return {
    model: null,
    blocks: [],
    tokensPerSecond: null,
    latencyMs: null,
    freeCacheTokens: 0,
    maxBatch: 0,
    protocols,
    relayed,
    addrs: addresses.slice(0, 8),
    regions,
    serves,
    trust: [],
    state: 'online',
  };
}

/** One offer for each model that the policy names and that is on this disk. `speedOf`: tokens a second; null: not known. */
export async function modelOffers(
  policy: ServingPolicy | null,
  engine: Pick<PeerServiceOptions['engine'], 'models'>,
  store: Pick<ModelStore, 'list'>,
  facts: OfferFacts,
  speedOf: (model: string) => number | null = () => null,
): Promise<Offer[]> {
  if (policy === null) return [];
  const [rows, entries] = await Promise.all([engine.models(), store.list()]);
  return rows.flatMap(({ id, task, state }): Offer[] => {
    const manifest = entries.find((entry) => entry.manifest.id === id)?.manifest;
    if (manifest === undefined || state === 'available' || task === 'completion' || task === 'rerank')
      return [];
    if (!policy.models?.includes(id)) return [];
    return [
      {
        ...ownOffer(facts),
        model: { hash: manifest.sha256, quant: manifest.quantisation },
        tokensPerSecond: task === 'chat' ? speedOf(id) : null,
        maxBatch: policy.maxConcurrent ?? 0,
        serves: [task === 'chat' ? 'chat' : 'embeddings'],
      },
    ];
  });
}

/** Blocks join what is announced of the same model: there is one record for each. */
export function withBlocks(
  offers: readonly Offer[],
  blocks: readonly BlockOffer[],
  own: Offer,
): readonly Offer[] {
  const merged = new Map(offers.map((offer) => [offer.model?.hash ?? '', offer]));
  for (const one of blocks) {
    const hash = one.model?.hash ?? '';
    const known = merged.get(hash) ?? own;
    // The state is that of all the record: blocks on their way do not keep anybody from the whole model.
    if (one.state !== 'online' && known.serves.length > 0) continue;
    merged.set(hash, { ...known, ...one, serves: [...known.serves, 'blocks'] });
  }
  return [...merged.values()];
}
