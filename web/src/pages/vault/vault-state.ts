/**
 * The vault as its pages know it: what lies with peers, and what this node lends. Looked at every few seconds while somebody looks.
 *
 * @module web/pages/vault/vault-state
 */
import { createEffect, createSignal, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { type Fault, faultIn } from '../../data/node-error.ts';
import { node } from '../../data/node-state.ts';
import { onLock, unlocked } from '../../data/owner.ts';
import { type PlacedView, placed, type StorageView, storage } from './desk.ts';

interface Vault {
  /** Null before the first look. */
  placed: readonly PlacedView[] | null;
  placedFault: Fault | null;
  storage: StorageView | null;
  storageFault: Fault | null;
}

const nothing: Vault = { placed: null, placedFault: null, storage: null, storageFault: null };
const [vault, set] = createStore<Vault>({ ...nothing });

export { vault };

const [said, say] = createSignal<string | null>(null);

/** What the last deed came to, where it is not to be seen otherwise. */
export { said, say };

onLock(() => {
  set({ ...nothing });
  say(null);
});

const againMs = 5_000;

let looking: Promise<void> | null = null;

export function refreshVault(): Promise<void> {
  looking ??= look().finally(() => {
    looking = null;
  });
  return looking;
}

/** What fails of one half leaves the other as it is. */
async function look(): Promise<void> {
  if (!unlocked()) return;
  await Promise.all([
    placed().then(
      (told) => {
        set('placed', reconcile(told, { key: 'kb' }));
        set('placedFault', null);
      },
      (error: unknown) => set('placedFault', unlocked() ? faultIn(error) : null),
    ),
    storage().then(
      (told) => {
        // No field tells all tenants apart: they are by their place.
        set('storage', reconcile(told, { key: null, merge: true }));
        set('storageFault', null);
      },
      (error: unknown) => set('storageFault', unlocked() ? faultIn(error) : null),
    ),
  ]);
}

/** For as long as the component that calls it lives. */
export function followVault(): void {
  createEffect(on([() => node.link, unlocked], () => void refreshVault()));
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void refreshVault();
  }, againMs);
  onCleanup(() => clearInterval(timer));
}
