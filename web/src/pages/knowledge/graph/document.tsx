/**
 * A document that is selected on the map: what it names.
 *
 * @module web/pages/knowledge/graph/document
 */
import { A } from '@solidjs/router';
import { For, Show } from 'solid-js';
import { count } from '../../../i18n/index.ts';
import { type Atlas, KINDS, strongestOf } from './atlas.ts';
import { PanelHead, type Source } from './entity.tsx';
import { Mark } from './mark.tsx';
import { g } from './words.ts';

interface Props {
  readonly atlas: Atlas;
  readonly node: number;
  readonly hrefOf: (node: number) => string;
  readonly open: ((source: Source) => void) | undefined;
  readonly close: () => void;
}

export function DocumentPanel(props: Props) {
  const own = () => props.atlas.nodes[props.node]!;
  return (
    <div class="graph-panel">
      <PanelHead name={own().name} kind="document" close={props.close} />
      <p class="graph-counts">
        {own().weight === 1 ? g('mentionOnce') : g('chunks', { count: count(own().weight) })}
      </p>
      <Show when={props.open}>
        {(open) => (
          <p class="graph-acts">
            <button type="button" class="button" onClick={() => open()({ path: own().key, chunk: null })}>
              {g('open')}
            </button>
          </p>
        )}
      </Show>
      <section>
        <h3>{g('names')}</h3>
        <ul class="graph-neighbours">
          <For each={strongestOf(props.atlas, props.node)}>
            {(node) => (
              <li>
                <A href={props.hrefOf(node)} noScroll>
                  <Mark kind={KINDS[props.atlas.kind[node]!]!} />
                  <span class="name" dir="auto">
                    {props.atlas.nodes[node]!.name}
                  </span>
                </A>
              </li>
            )}
          </For>
        </ul>
      </section>
    </div>
  );
}
