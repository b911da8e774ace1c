/**
 * A mode by its name, with what has to stand beside it wherever it shows.
 *
 * @module web/pages/vault/mode
 */
import { Show } from 'solid-js';
import type { Mode } from './desk.ts';
import { v } from './words.ts';

interface Props {
  readonly mode: Mode;
  /** As the node says it; null: nothing. */
  readonly label: string | null;
}

export function ModeName(props: Props) {
  return (
    <span class="mode-of">
      {v(`modes.${props.mode}`)} {/* The name of the weak one says that it is. */}
      <Show when={props.mode !== 'perturbed' && props.label}>
        {(label) => <span class="mode-label">{props.mode === 'split' ? v('awaitsReview') : label()}</span>}
      </Show>
    </span>
  );
}
