/**
 * Places a knowledge base: which, how it is kept, by whom, in how many copies and for how long.
 *
 * @module web/pages/vault/place
 */
import { useNavigate } from '@solidjs/router';
import { createSignal, createUniqueId, For, onMount, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { placedPath } from '../../app/pages.ts';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { count } from '../../i18n/index.ts';
import { kbs } from '../knowledge/kbs.ts';
import { ModeChoice } from './change-mode.tsx';
import { place } from './desk.ts';
import { createPicking, EvesPick } from './eves-pick.tsx';
import { refreshVault, vault } from './vault-state.ts';
import { v } from './words.ts';

const MOST_COPIES = 8;

/** Names of knowledge bases that lie with nobody yet. */
export const placeable = (): string[] =>
  (kbs.all ?? [])
    .filter(({ name, contents }) => contents !== null && !(vault.placed ?? []).some(({ kb }) => kb === name))
    .map(({ name }) => name);

export function PlaceForm(props: { readonly close: () => void }) {
  const id = createUniqueId();
  const go = useNavigate();
  const picking = createPicking();
  const [chosenKb, setKb] = createSignal<string | null>(null);
  const [mode, setMode] = createSignal<'sealed' | 'split'>('sealed');
  const [copies, setCopies] = createSignal(2);
  const [days, setDays] = createSignal('');
  const deed = createDeed();
  let first: HTMLSelectElement | undefined;
  onMount(() => first?.focus());
  const kb = () => {
    const all = placeable();
    return chosenKb() !== null && all.includes(chosenKb()!) ? chosenKb() : (all[0] ?? null);
  };
  const most = () => Math.max(1, Math.min(MOST_COPIES, picking.chosen().length));
  const replicas = () => Math.min(copies(), most());
  const advice = () => {
    if (mode() === 'split') {
      const names = new Set(picking.chosen().map(({ operator }) => operator.trim()));
      return names.has('') || names.size < 2 ? v('place.two') : null;
    }
    return picking.chosen().length === 1 ? v('place.single') : null;
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const named = kb();
    if (named === null || picking.chosen().length === 0) return;
    void deed.run(async () => {
      await place(named, {
        mode: mode(),
        eves: picking.named(),
        replicas: replicas(),
        ...(days().trim() === '' ? {} : { days: Number(days()) }),
      });
      announce(v('place.begun', { kb: named }));
      await refreshVault();
      go(placedPath(named));
    });
  };
  return (
    <form class="place-form card" aria-labelledby={`${id}-title`} onSubmit={submit}>
      <h3 id={`${id}-title`}>{v('place.title')}</h3>
      <p class="sub">{v('place.more')}</p>
      <div class="field">
        <label for={`${id}-kb`}>{v('place.kb')}</label>
        <select
          ref={first}
          id={`${id}-kb`}
          class="input"
          onChange={(event) => setKb(event.currentTarget.value)}
        >
          <For each={placeable()}>
            {(name) => (
              <option value={name} selected={name === kb()}>
                {name}
              </option>
            )}
          </For>
        </select>
      </div>
      <ModeChoice mode={mode()} choose={setMode} />
      <fieldset>
        <legend>{v('place.eves')}</legend>
        <EvesPick picking={picking} label={v('place.eves')} />
      </fieldset>
      <div class="amounts">
        <div class="field">
          <label for={`${id}-copies`}>{v('place.copies')}</label>
          <select
            id={`${id}-copies`}
            class="input"
            onChange={(event) => setCopies(Number(event.currentTarget.value))}
          >
            <For each={Array.from({ length: most() }, (_, at) => at + 1)}>
              {(number) => (
                <option value={number} selected={number === replicas()}>
                  {count(number)}
                </option>
              )}
            </For>
          </select>
        </div>
        <div class="field">
          <label for={`${id}-days`}>{v('place.forDays')}</label>
          <input
            id={`${id}-days`}
            class="input"
            type="number"
            inputmode="numeric"
            min="1"
            max="3660"
            step="1"
            placeholder="30"
            aria-describedby={`${id}-days-hint`}
            value={days()}
            onInput={(event) => setDays(event.currentTarget.value)}
          />
        </div>
        <p class="hint" id={`${id}-days-hint`}>
          {v('place.forDaysHint')}
        </p>
      </div>
      <Show when={advice()}>{(words) => <p class="warning">{words()}</p>}</Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div class="page-acts">
        <button
          type="submit"
          class="button strong"
          disabled={deed.busy() || kb() === null || picking.chosen().length === 0}
        >
          {deed.busy() ? v('place.doing') : v('place.do')}
        </button>
        <button type="button" class="button" onClick={props.close}>
          {v('place.cancel')}
        </button>
      </div>
    </form>
  );
}
