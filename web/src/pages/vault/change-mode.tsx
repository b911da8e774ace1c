/**
 * Keeps a knowledge base in another mode from now on. For `split` it has to be said who runs each Eve.
 *
 * @module web/pages/vault/change-mode
 */
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { createStore } from 'solid-js/store';
import { announce } from '../../app/announce.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { change, type PlacedView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { v } from './words.ts';

const MODES = ['sealed', 'split'] as const;
type Offered = (typeof MODES)[number];

/** How it can be kept, each in two sentences: what it is, and what an Eve learns. */
export function ModeChoice(props: { readonly mode: string; readonly choose: (mode: Offered) => void }) {
  const id = createUniqueId();
  return (
    <fieldset class="modes">
      <legend>{v('place.mode')}</legend>
      <For each={MODES}>
        {(one) => (
          <label class="mode">
            <input
              type="radio"
              name={id}
              value={one}
              checked={props.mode === one}
              onChange={() => props.choose(one)}
            />
            <span>
              <span class="mode-name">{v(`modes.${one}`)}</span>
              <span class="means">{v(`modeMeans.${one}`)}</span>
              <span class="means">{v(`modeLearns.${one}`)}</span>
            </span>
          </label>
        )}
      </For>
      <Show when={props.mode === 'split'}>
        <p class="warning">{v('review')}</p>
      </Show>
    </fieldset>
  );
}

export function ChangeMode(props: {
  readonly placed: PlacedView;
  readonly changed: () => Promise<void>;
  readonly close: () => void;
}) {
  const id = createUniqueId();
  const [mode, setMode] = createSignal<Offered | null>(
    props.placed.mode === 'perturbed' ? null : props.placed.mode,
  );
  const [names, setNames] = createStore<Record<string, string>>(
    Object.fromEntries(props.placed.eves.map(({ peer, operator }) => [peer, operator ?? ''])),
  );
  const deed = createDeed();
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = mode();
    if (wanted === null) return;
    const operators = props.placed.eves
      .map(({ peer }) => [peer, (names[peer] ?? '').trim()] as const)
      .filter(([, name]) => name !== '')
      .map(([peer, name]) => `${name}=${peer}`);
    void deed.run(async () => {
      await change(props.placed.kb, { mode: wanted, ...(operators.length === 0 ? {} : { operators }) });
      announce(v('kb.begun'));
      props.close();
      await props.changed();
    });
  };
  return (
    <form class="card place-form" aria-label={v('kb.otherwise')} onSubmit={go}>
      <p class="sub">{v('kb.otherwiseMore')}</p>
      <ModeChoice mode={mode() ?? ''} choose={setMode} />
      <Show when={mode() === 'split'}>
        <div class="amounts">
          <For each={props.placed.eves}>
            {({ peer }, at) => (
              <div class="field">
                <label for={`${id}-${at()}`}>{v('place.nameOf', { peer: shortPeer(peer) })}</label>
                <input
                  id={`${id}-${at()}`}
                  class="input"
                  dir="auto"
                  autocomplete="off"
                  spellcheck={false}
                  maxlength="100"
                  value={names[peer] ?? ''}
                  onInput={(event) => setNames(peer, event.currentTarget.value)}
                />
              </div>
            )}
          </For>
        </div>
      </Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div class="page-acts">
        <button
          type="submit"
          class="button strong"
          disabled={deed.busy() || mode() === null || mode() === props.placed.mode}
        >
          {v('kb.otherwiseDo')}
        </button>
        <button type="button" class="button" onClick={props.close}>
          {v('place.cancel')}
        </button>
      </div>
    </form>
  );
}
