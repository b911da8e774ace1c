/**
 * Searches among peers: in what is known here, and when that holds nobody, in what others know.
 *
 * @module node/swarm-finding
 */
import { type Clock, KithError } from '../base/index.ts';
import type { ModelStore } from '../models/index.ts';
import type { FindQuery, FindView } from '../server/index.ts';
import type { Discoverer, Registry, Views } from '../swarm/index.ts';
import { findView } from './swarm-peers.ts';

/** For what others know, ms. */
const FILL_MS = 5_000;
/** Models that others are asked about at once: whoever may search must not make this node ask more. */
const MAX_FILLS = 4;

export interface FinderOptions {
  readonly registry: Registry;
  readonly discovery: Pick<Discoverer, 'fill'>;
  readonly models: Pick<ModelStore, 'list'>;
  readonly views: Views;
  readonly clock: Pick<Clock, 'now'>;
}

export type Find = (query: FindQuery, limit: number) => Promise<FindView>;

/** The search throws KithError `model_not_found` (404) for what is no model. */
export function createFinder({ registry, discovery, models, views, clock }: FinderOptions): Find {
  const filling = new Map<string, Promise<void>>();

  async function hashOf(model: string): Promise<string> {
    const known = (await models.list()).find(({ manifest }) => manifest.id === model);
    if (known !== undefined) return known.manifest.sha256;
    if (/^[0-9a-f]{64}$/.test(model)) return model;
    throw new KithError(
      'model_not_found',
      `'${model.slice(0, 100)}' is neither a model that this node knows nor the SHA-256 of a model's file. kith p2p peers list --json has those that peers announce.`,
      { status: 404, param: 'model' },
    );
  }

  /** Who asks about the same meanwhile waits for the same answer. */
  async function fill(model: string | null): Promise<void> {
    const name = model ?? '';
    let under = filling.get(name);
    if (under === undefined) {
      if (filling.size >= MAX_FILLS) return;
      under = discovery.fill(model, AbortSignal.timeout(FILL_MS)).then(
        () => void filling.delete(name),
        () => void filling.delete(name),
      );
      filling.set(name, under);
    }
    await under;
  }

  return async (query, limit) => {
    const model = query.model === null ? null : await hashOf(query.model);
    const look = () => findView(registry, query, model, views, clock.now(), limit);
    const known = look();
    if (known.found.length > 0) return known;
    await fill(model);
    return look();
  };
}
