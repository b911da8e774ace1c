/**
 * What the owner sees of models that run over several nodes: who serves which blocks, what is served here, paths that are open.
 * Looked at every few seconds while the section is on the page.
 *
 * @module web/pages/network/shards-state
 */
import { onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { CoverageListView, CoverageView } from '../../../../src/server/shards/coverage.ts';
import type { CircuitView } from '../../../../src/server/shards/paths.ts';
import type { ServedView, ServingView } from '../../../../src/server/shards/serving.ts';
import { type Fault, faultIn } from '../../data/node-error.ts';
import { asOwner } from '../../data/owner.ts';

export type { CircuitView, CoverageView, ServedView };
export type ShardPeer = CoverageView['peers'][number];

interface Shards {
  /** Null before the first look. */
  models: readonly CoverageView[] | null;
  served: readonly ServedView[];
  circuits: readonly CircuitView[];
  /** Why the last look failed; null when it did not. */
  fault: Fault | null;
}

const [shards, set] = createStore<Shards>({ models: null, served: [], circuits: [], fault: null });

export { shards };

const base = '/kith/v1/shards';
const againMs = 4_000;

async function look(): Promise<void> {
  try {
    const [{ models }, { served }, { circuits }] = await Promise.all([
      asOwner<CoverageListView>('GET', `${base}/coverage`),
      asOwner<ServingView>('GET', `${base}/serving`),
      asOwner<{ circuits: readonly CircuitView[] }>('GET', `${base}/circuits`),
    ]);
    set('models', reconcile(models, { key: 'model' }));
    set('served', reconcile(served, { key: null }));
    set('circuits', reconcile(circuits, { key: 'name' }));
    set('fault', null);
  } catch (error) {
    set('fault', faultIn(error));
  }
}

/** For as long as the component that calls it lives. */
export function followShards(): void {
  let looking = false;
  const turn = async () => {
    if (looking || document.visibilityState !== 'visible') return;
    looking = true;
    await look().finally(() => {
      looking = false;
    });
  };
  void turn();
  const timer = setInterval(() => void turn(), againMs);
  onCleanup(() => clearInterval(timer));
}
