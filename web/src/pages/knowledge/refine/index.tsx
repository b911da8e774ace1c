/**
 * What refines a knowledge base: how much is known of its names, dreams that find out more, and names that stand for the same.
 *
 * @module web/pages/knowledge/refine
 */
import { createEffect, createResource, createUniqueId, For, on, Show } from 'solid-js';
import { kbPath } from '../../../app/pages.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { count } from '../../../i18n/index.ts';
import { percent } from '../figures.ts';
import { told } from '../graph/told.ts';
import type { Kb } from '../kb-state.ts';
import { score } from './desk.ts';
import { Dreams } from './dreams.tsx';
import { Merges } from './merges.tsx';
import { r } from './words.ts';
import './refine.css';

const PILLARS = ['type', 'summary', 'relations'] as const;

export default function Refine(props: { readonly kb: Kb }) {
  return (
    <>
      <Known kb={props.kb} />
      <Dreams kb={props.kb} />
      <Merges kb={props.kb} />
    </>
  );
}

function Known(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const [found, { refetch }] = createResource(() => score(props.kb.name));
  createEffect(
    on(
      () => props.kb.state.changes,
      () => void refetch(),
      { defer: true },
    ),
  );
  const hrefOf = (key: string) => `${kbPath(props.kb.name, 'graph')}?${new URLSearchParams({ name: key })}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{r('known')}</h2>
      <Show when={found.error}>
        <ErrorNote fault={faultIn(found.error)}>
          <button type="button" class="button" onClick={() => void refetch()}>
            {r('again')}
          </button>
        </ErrorNote>
      </Show>
      <Show when={told(found)}>
        {(all) => (
          <Show when={all().entities > 0} fallback={<p class="sub">{r('knownNone')}</p>}>
            <p class="sub">
              {r('knownMore', { entities: count(all().entities), names: count(all().names) })}
            </p>
            <dl class="pillars">
              <div class="whole">
                <dt class="figures">{r('score', { percent: percent(all().score) })}</dt>
              </div>
              <For each={PILLARS}>
                {(one) => (
                  <div>
                    <dt>{r(`pillars.${one}`)}</dt>
                    <dd>
                      <meter min="0" max="1" value={all()[one]} aria-label={r(`pillars.${one}`)} />
                      <span class="figures">{percent(all()[one])}</span>
                    </dd>
                  </div>
                )}
              </For>
            </dl>
            <Show when={all().lacking.length > 0}>
              <p class="lacking">
                <span class="aside">{r('lacking')} </span>
                <For each={all().lacking}>
                  {(one) => (
                    <a href={hrefOf(one.key)}>
                      <bdi>{one.key}</bdi>
                    </a>
                  )}
                </For>
              </p>
            </Show>
          </Show>
        )}
      </Show>
    </section>
  );
}
