/**
 * The mark of a kind of name, as it stands on the map.
 *
 * @module web/pages/knowledge/graph/mark
 */
import type { Kind } from './atlas.ts';
import { HOLLOW, markPath } from './marks.ts';

export function Mark(props: { readonly kind: Kind }) {
  return (
    <svg
      class={`graph-mark kind-${props.kind.toLowerCase()}`}
      classList={{ hollow: HOLLOW.has(props.kind) }}
      width="14"
      height="14"
      viewBox="0 0 14 14"
      aria-hidden="true"
    >
      <path d={markPath(props.kind, 7, 7, 4.8)} />
    </svg>
  );
}
