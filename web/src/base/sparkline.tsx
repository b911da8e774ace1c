/**
 * A small line of one figure over time. The figure itself stands beside it in words: the line is decoration to screen
 * readers. Gaps are values that nobody knows.
 *
 * @module web/base/sparkline
 */
import { For, Show } from 'solid-js';

const width = 200;
const height = 28;

export function Sparkline(props: { readonly values: readonly (number | null)[]; readonly live?: boolean }) {
  const known = () => props.values.filter((value) => value !== null);
  /** Unbroken stretches as points of a polyline. */
  const lines = () => {
    const top = Math.max(...known(), Number.MIN_VALUE);
    const step = width / Math.max(1, props.values.length - 1);
    const out: string[] = [];
    let points: string[] = [];
    for (const [index, value] of props.values.entries()) {
      if (value !== null)
        points.push(`${(index * step).toFixed(1)},${(height - 1 - (value / top) * (height - 4)).toFixed(1)}`);
      if (value === null || index === props.values.length - 1) {
        if (points.length > 1) out.push(points.join(' '));
        points = [];
      }
    }
    return out;
  };
  return (
    <Show when={known().length > 1}>
      <svg
        class="sparkline"
        classList={{ live: props.live ?? false }}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <For each={lines()}>
          {(points) => <polyline points={points} vector-effect="non-scaling-stroke" />}
        </For>
      </svg>
    </Show>
  );
}
