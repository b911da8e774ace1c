/**
 * What the map shows: kinds of names (which is its legend, too), how often they are named, documents, how many.
 *
 * @module web/pages/knowledge/graph/filters
 */
import { createMemo, createUniqueId, For, Show } from 'solid-js';
import { count } from '../../../i18n/index.ts';
import { type Atlas, KINDS, type Kind } from './atlas.ts';
import { Mark } from './mark.tsx';
import { g } from './words.ts';

export const LIMITS = [200, 500, 1_000, 2_000, 5_000] as const;

export interface Shown {
  /** Kinds that are left out. */
  readonly without: ReadonlySet<Kind>;
  /** Names that are named less often are left out; documents never are. */
  readonly least: number;
}

interface Props {
  readonly atlas: Atlas;
  readonly shown: Shown;
  readonly change: (shown: Shown) => void;
  readonly documents: boolean;
  readonly setDocuments: (on: boolean) => void;
  readonly limit: number;
  readonly setLimit: (limit: number) => void;
}

/** 1 for each name that is left. */
export function visibleOf({ nodes, kind }: Atlas, { without, least }: Shown): Uint8Array {
  return Uint8Array.from(nodes, (node, i) =>
    !without.has(KINDS[kind[i]!]!) && (node.kind === 'document' || node.weight >= least) ? 1 : 0,
  );
}

const STEPS = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 1_000];

export function Filters(props: Props) {
  const id = createUniqueId();
  const counts = createMemo(() => {
    const all = new Map<Kind, number>();
    for (const kind of props.atlas.kind) all.set(KINDS[kind]!, (all.get(KINDS[kind]!) ?? 0) + 1);
    return all;
  });
  const steps = createMemo(() => {
    const most = props.atlas.nodes.reduce(
      (most, { kind, weight }) => (kind === 'entity' ? Math.max(most, weight) : most),
      1,
    );
    return STEPS.filter((step) => step <= most);
  });
  const toggle = (kind: Kind) => {
    const without = new Set(props.shown.without);
    if (!without.delete(kind)) without.add(kind);
    props.change({ ...props.shown, without });
  };
  /** One that is larger than there are names would be the same as one before. */
  const limits = () =>
    LIMITS.filter((limit, i) => i === 0 || LIMITS[i - 1]! < props.atlas.of || limit === props.limit);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a legend would be drawn into a frame
    <div class="graph-filters" role="group" aria-label={g('filters')}>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div class="graph-kinds" role="group" aria-label={g('kinds')}>
        <For each={KINDS.filter((kind) => counts().has(kind))}>
          {(kind) => (
            <label class="graph-kind">
              <input type="checkbox" checked={!props.shown.without.has(kind)} onChange={() => toggle(kind)} />
              <Mark kind={kind} />
              {g(`kind.${kind}`)} <bdi class="weight">{count(counts().get(kind)!)}</bdi>
            </label>
          )}
        </For>
      </div>
      <div class="graph-bounds">
        <Show when={steps().length > 1}>
          <div class="graph-least">
            <label for={id}>{g('least')}</label>
            <input
              id={id}
              type="range"
              min="0"
              max={steps().length - 1}
              value={Math.max(
                0,
                steps().findLastIndex((step) => step <= props.shown.least),
              )}
              aria-valuetext={times(props.shown.least)}
              onInput={(event) =>
                props.change({ ...props.shown, least: steps()[event.currentTarget.valueAsNumber] ?? 1 })
              }
            />
            <output for={id}>{times(props.shown.least)}</output>
          </div>
        </Show>
        <label class="check">
          <input
            type="checkbox"
            checked={props.documents}
            onChange={(event) => props.setDocuments(event.currentTarget.checked)}
          />
          {g('documents')}
        </label>
        <Show when={limits().length > 1}>
          <label class="graph-most">
            {g('most')}
            <select
              class="input"
              value={props.limit}
              onChange={(event) => props.setLimit(Number(event.currentTarget.value))}
            >
              <For each={limits()}>{(limit) => <option value={limit}>{count(limit)}</option>}</For>
            </select>
          </label>
        </Show>
      </div>
    </div>
  );
}

const times = (least: number): string =>
  least === 1 ? g('leastOnce') : g('leastTimes', { count: count(least) });
