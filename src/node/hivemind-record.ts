/**
 * What a node tells a Hivemind DHT of itself, in the form that readers of KwaaiNet and Petals know: under the key
 * `_kwaai.inference.nodes`, subkey the PeerId, `(state, throughput, {fields})`.
 *
 * The range of blocks is empty, since this node computes none for Petals' protocol; what it serves is a model as a whole, over
 * Kith's own calls. `models` and `protocols` say so to those who know these fields; others pass them over. `_petals.models` and
 * the keys of blocks are left alone: they would send clients here for what is not here.
 *
 * @module node/hivemind-record
 */
import type { PeerServiceOptions, ServingPolicy } from '../gateway/index.ts';
import type { ModelStore } from '../models/index.ts';
import { Float, type MsgValue, Tuple } from '../swarm/index.ts';
import { modelOffers } from './swarm-serving.ts';

export const ANNOUNCE_KEY = '_kwaai.inference.nodes';
/** Seconds until a record expires, ms until it is told anew, and by how much that differs each time. */
export const ANNOUNCE_TTL_S = 360;
export const ANNOUNCE_MS = 300_000;
export const ANNOUNCE_JITTER_MS = 30_000;

/** Petals' states, and KwaaiNet's for a node that has left. */
const STATES = { online: 2, offline: -1 } as const;

export interface ToldModel {
  readonly id: string;
  /** SHA-256 of its file. */
  readonly hash: string;
  readonly quant: string;
  readonly serves: readonly string[];
  /** As measured; null before. */
  readonly tokensPerSecond: number | null;
}

export interface NodeRecordFacts {
  readonly peer: string;
  readonly state: keyof typeof STATES;
  /** What its owner calls it in public; empty for no name. */
  readonly name: string;
  /** Whether it can be reached over relays only. */
  readonly relayed: boolean;
  readonly models: readonly ToldModel[];
}

export function nodeRecord({ peer, state, name, relayed, models }: NodeRecordFacts): MsgValue {
  const fields: Readonly<Record<string, MsgValue>> = {
    start_block: 0,
    end_block: 0,
    public_name: name,
    version: 'kith',
    using_relay: relayed,
    peer_id: peer,
    protocols: ['/kith/call/1.0.0'],
    models: models.map(
      ({ id, hash, quant, serves }) =>
        new Map<string, MsgValue>([
          ['id', id],
          ['sha256', hash],
          ['quant', quant],
          ['serves', [...serves]],
        ]),
    ),
  };
  // Readers want a number: 0 promises nothing.
  const throughput = models.reduce((most, { tokensPerSecond }) => Math.max(most, tokensPerSecond ?? 0), 0);
  return new Tuple([STATES[state], new Float(throughput), new Map(Object.entries(fields))]);
}

/** What is offered to peers, by the names that models have here. */
export async function toldModels(
  policy: ServingPolicy | null,
  engine: Pick<PeerServiceOptions['engine'], 'models'>,
  store: Pick<ModelStore, 'list'>,
  speedOf?: (model: string) => number | null,
): Promise<ToldModel[]> {
  const facts = { addresses: [], relayed: false, protocols: [], regions: [] };
  const offers = await modelOffers(policy, engine, store, facts, speedOf);
  const ids = new Map((await store.list()).map(({ manifest }) => [manifest.sha256, manifest.id]));
  return offers.flatMap(({ model, serves, tokensPerSecond }) => {
    const id = model === null ? undefined : ids.get(model.hash);
    return id === undefined ? [] : [{ ...model!, id, serves, tokensPerSecond }];
  });
}
