/**
 * The knowledge bases of this node that lie with peers, and how to place another.
 *
 * @module web/pages/vault/placed-list
 */
import Plus from 'lucide-solid/icons/plus';
import { createSignal, createUniqueId, For, Match, Show, Switch } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { paths, placedPath } from '../../app/pages.ts';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { kbs, refreshKbs } from '../knowledge/kbs.ts';
import { type PlacedView, upload } from './desk.ts';
import { copiesText, shortPeer, when } from './figures.ts';
import { ModeName } from './mode.tsx';
import { EveName } from './operator.tsx';
import { PlaceForm, placeable } from './place.tsx';
import { said, vault } from './vault-state.ts';
import { v } from './words.ts';

export function Mine() {
  const id = createUniqueId();
  const [placing, setPlacing] = createSignal(false);
  let add: HTMLButtonElement | undefined;
  const close = () => {
    setPlacing(false);
    add?.focus();
  };
  return (
    <section class="mine" aria-labelledby={id}>
      <h2 id={id}>{v('mine.title')}</h2>
      <p class="sub">{v('mine.more')}</p>
      <Show when={said()}>{(words) => <p class="done">{words()}</p>}</Show>
      <Show when={vault.placedFault}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={vault.placed}>
        {(placed) => (
          <Show when={placed().length > 0} fallback={<Nothing />}>
            <ul class="placed" aria-label={v('mine.list')}>
              <For each={placed()}>{(one) => <Placed one={one} />}</For>
            </ul>
          </Show>
        )}
      </Show>
      <Show when={kbs.all !== null && vault.placed !== null && placeable().length > 0}>
        <Show
          when={placing()}
          fallback={
            <div class="page-acts">
              <button ref={add} type="button" class="button strong" onClick={() => setPlacing(true)}>
                <Plus size={16} aria-hidden="true" />
                {v('mine.add')}
              </button>
            </div>
          }
        >
          <PlaceForm close={close} />
        </Show>
      </Show>
    </section>
  );
}

function Nothing() {
  return (
    <div class="nothing">
      <p>
        {v('mine.none')} {v('mine.noneMore')}
      </p>
      <Show when={kbs.all?.length === 0} fallback={<p class="aside">{v('mine.terminal')}</p>}>
        <p>
          {v('mine.noKbs')} <a href={paths.knowledge}>{v('mine.makeOne')}</a>
        </p>
      </Show>
    </div>
  );
}

export const isBusy = (kb: string): boolean => (kbs.all?.find(({ name }) => name === kb)?.jobs ?? 0) > 0;

function Placed(props: { readonly one: PlacedView }) {
  const deed = createDeed();
  const one = () => props.one;
  const changed = () => one().stale === true || one().synced === null;
  return (
    <li class="placed-one" data-kb={one().kb}>
      <a href={placedPath(one().kb)}>
        <bdi class="name">{one().kb}</bdi>
        <span class="holds">
          <ModeName mode={one().mode} label={one().label} /> {copiesText(one().replicas)}
        </span>
      </a>
      <span class="eves">
        <For each={one().eves}>{(eve) => <EveName placed={one()} eve={eve} />}</For>
      </span>
      <span class="state">
        <StateLine one={one()} />
        <span class="more figures">
          <Show when={one().synced}>{(at) => v('mine.synced', { when: when(at()) })}</Show>
        </span>
      </span>
      <Show when={changed() && one().stale !== null && !isBusy(one().kb)}>
        <button
          type="button"
          class="button"
          aria-label={v('mine.uploadOf', { kb: one().kb })}
          disabled={deed.busy()}
          onClick={() =>
            void deed.run(async () => {
              await upload(one().kb);
              announce(v('mine.begun'));
              await refreshKbs();
            })
          }
        >
          {v('mine.upload')}
        </button>
      </Show>
      <Show when={one().warning}>
        {(warning) => (
          <p class="warning" dir="auto">
            {warning()}
          </p>
        )}
      </Show>
      <Show when={one().poor.length > 0}>
        <p class="warning">{v('mine.poor', { peers: one().poor.map(shortPeer).join(', ') })}</p>
      </Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </li>
  );
}

/** How it stands with what peers keep. */
export function StateLine(props: { readonly one: PlacedView }) {
  return (
    <span class="state-line">
      <Switch
        fallback={
          <>
            <span class="dot ready" />
            {v('mine.fresh')}
          </>
        }
      >
        <Match when={isBusy(props.one.kb)}>
          <span class="dot live" />
          {v('mine.busy')}
        </Match>
        <Match when={props.one.synced === null}>
          <span class="dot warn" />
          {v('mine.never')}
        </Match>
        <Match when={props.one.stale === null}>
          <span class="dot" />
          {v('mine.elsewhere')}
        </Match>
        <Match when={props.one.stale === true}>
          <span class="dot warn" />
          {v('mine.changed')}
        </Match>
      </Switch>
    </span>
  );
}
