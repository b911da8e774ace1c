/**
 * The list of knowledge bases as the page knows it: looked at again while something is taken in, and when somebody comes back.
 *
 * @module web/pages/knowledge/kbs
 */
import { createEffect, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { type Fault, faultIn } from '../../data/node-error.ts';
import { node } from '../../data/node-state.ts';
import { onLock, unlocked } from '../../data/owner.ts';
import { type KbView, list } from './desk.ts';

interface Kbs {
  /** By name; null before the first look. */
  all: readonly KbView[] | null;
  /** That the node takes of one file; null: not known. */
  uploadBytes: number | null;
  fault: Fault | null;
}

const [kbs, set] = createStore<Kbs>({ all: null, uploadBytes: null, fault: null });

export { kbs };

onLock(() => set({ all: null, fault: null }));

const busyMs = 2_000;
const idleMs = 15_000;

let looking: Promise<void> | null = null;

export function refreshKbs(): Promise<void> {
  looking ??= look().finally(() => {
    looking = null;
  });
  return looking;
}

async function look(): Promise<void> {
  if (!unlocked()) return;
  try {
    const told = await list();
    set('all', reconcile(told.kbs, { key: 'name' }));
    set({ uploadBytes: told.uploadBytes, fault: null });
  } catch (error) {
    set('fault', unlocked() ? faultIn(error) : null);
  }
}

/** Follows the list for as long as the component that calls it lives. */
export function followKbs(): void {
  createEffect(on([() => node.link, unlocked], () => void refreshKbs()));
  let timer: ReturnType<typeof setTimeout>;
  const again = () => {
    const busy = kbs.all?.some((kb) => kb.jobs > 0) ?? false;
    timer = setTimeout(
      async () => {
        if (document.visibilityState === 'visible') await refreshKbs();
        again();
      },
      busy ? busyMs : idleMs,
    );
  };
  again();
  onCleanup(() => clearTimeout(timer));
}
