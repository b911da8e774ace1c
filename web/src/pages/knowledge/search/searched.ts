/**
 * What was searched last in each knowledge base, for whoever comes back from a source or another part of the page.
 *
 * @module web/pages/knowledge/search/searched
 */
import { createRoot, createSignal, type Signal } from 'solid-js';
import { onLock } from '../../../data/owner.ts';
import type { SearchView } from '../desk.ts';
import { anything, type Wanted } from './filters.tsx';

export interface Searched {
  readonly query: Signal<string>;
  readonly wanted: Signal<Wanted>;
  readonly found: Signal<{ readonly asked: string; readonly view: SearchView } | null>;
}

const searched = new Map<string, Searched>();
onLock(() => searched.clear());

export function searchedIn(kb: string): Searched {
  let kept = searched.get(kb);
  if (kept === undefined) {
    kept = createRoot(
      (): Searched => ({
        query: createSignal(''),
        wanted: createSignal(anything),
        found: createSignal<{ readonly asked: string; readonly view: SearchView } | null>(null),
      }),
    );
    searched.set(kb, kept);
  }
  return kept;
}
