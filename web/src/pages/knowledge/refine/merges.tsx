/**
 * Names that stand for the same: those that probably do, those that were made one, and one's own word.
 *
 * @module web/pages/knowledge/refine/merges
 */
import { createResource, createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { entitiesLike } from '../graph/desk.ts';
import { told } from '../graph/told.ts';
import type { Kb } from '../kb-state.ts';
import { merge, merges, proposals, unmerge } from './desk.ts';
import { r } from './words.ts';

/** Proposals and merges that are shown at first. */
const SHOWN = 20;

export function Merges(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name } = props.kb;
  const [proposed, again] = createResource(() => proposals(name));
  const [made, { refetch }] = createResource(() => merges(name));
  const [most, setMost] = createSignal(SHOWN);
  const deed = createDeed();
  const holding = () => (told(made) ?? []).filter(({ undone }) => undone === null).toReversed();
  const change = (work: () => Promise<unknown>, said: string) =>
    deed.run(async () => {
      await work();
      announce(said);
      await Promise.all([again.refetch(), refetch()]);
    });
  const one = (alias: string, entity: string, reason?: string) =>
    change(() => merge(name, alias, entity, reason), r('merged', { alias, entity }));
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{r('merges')}</h2>
      <p class="sub">{r('mergesMore')}</p>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={proposed.error ?? made.error}>
        {(error) => (
          <ErrorNote fault={faultIn(error())}>
            <button
              type="button"
              class="button"
              onClick={() => {
                void again.refetch();
                void refetch();
              }}
            >
              {r('again')}
            </button>
          </ErrorNote>
        )}
      </Show>
      <h3>{r('proposals')}</h3>
      <Show when={told(proposed)}>
        {(all) => (
          <Show when={all().length > 0} fallback={<p class="aside">{r('proposalsNone')}</p>}>
            <ul class="pairs" aria-label={r('proposals')}>
              <For each={all().slice(0, most())}>
                {({ alias, entity, reason }) => (
                  <li>
                    <span class="pair">
                      <bdi>{r('same', { alias, entity })}</bdi>
                      <span class="more" dir="auto">
                        {reason}
                      </span>
                    </span>
                    <button
                      type="button"
                      class="button"
                      aria-label={r('acceptOf', { alias, entity })}
                      disabled={deed.busy()}
                      onClick={() => void one(alias, entity, reason)}
                    >
                      {r('accept')}
                    </button>
                  </li>
                )}
              </For>
            </ul>
          </Show>
        )}
      </Show>
      <Own kb={name} busy={deed.busy()} merge={one} />
      <h3>{r('held')}</h3>
      <Show when={told(made)}>
        <Show when={holding().length > 0} fallback={<p class="aside">{r('heldNone')}</p>}>
          <ul class="pairs" aria-label={r('held')}>
            <For each={holding().slice(0, most())}>
              {({ id: number, alias, entity, reason }) => (
                <li>
                  <span class="pair">
                    <bdi>{r('same', { alias, entity })}</bdi>
                    <span class="more" dir="auto">
                      {reason}
                    </span>
                  </span>
                  <button
                    type="button"
                    class="button"
                    aria-label={r('unmergeOf', { alias, entity })}
                    disabled={deed.busy()}
                    onClick={() => void change(() => unmerge(name, number), r('unmerged', { alias }))}
                  >
                    {r('unmerge')}
                  </button>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </Show>
      <Show when={Math.max(told(proposed)?.length ?? 0, holding().length) > most()}>
        <div class="page-acts">
          <button type="button" class="button" onClick={() => setMost((now) => now * 2)}>
            {r('more')}
          </button>
        </div>
      </Show>
    </section>
  );
}

function Own(props: {
  readonly kb: string;
  readonly busy: boolean;
  readonly merge: (alias: string, entity: string) => Promise<boolean>;
}) {
  const [alias, setAlias] = createSignal('');
  const [entity, setEntity] = createSignal('');
  const go = async (event: SubmitEvent) => {
    event.preventDefault();
    if (await props.merge(alias().trim(), entity().trim())) {
      setAlias('');
      setEntity('');
    }
  };
  return (
    <form class="pair-form" onSubmit={(event) => void go(event)}>
      <NameField kb={props.kb} label={r('alias')} value={alias()} change={setAlias} />
      <NameField kb={props.kb} label={r('entity')} value={entity()} change={setEntity} />
      <button
        type="submit"
        class="button"
        disabled={props.busy || alias().trim() === '' || entity().trim() === ''}
      >
        {r('merge')}
      </button>
    </form>
  );
}

const OFFERED = 12;

function NameField(props: {
  readonly kb: string;
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
}) {
  const id = createUniqueId();
  const [offered] = createResource(
    () => (props.value.trim() === '' ? null : props.value.trim()),
    async (prefix) => {
      try {
        return (await entitiesLike(props.kb, prefix, OFFERED)).entities;
      } catch {
        // What is offered only helps.
        return [];
      }
    },
  );
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        class="input"
        dir="auto"
        list={`${id}-names`}
        autocomplete="off"
        spellcheck={false}
        maxlength="500"
        value={props.value}
        onInput={(event) => props.change(event.currentTarget.value)}
      />
      <datalist id={`${id}-names`}>
        <For each={told(offered) ?? []}>{(one) => <option value={one.name} />}</For>
      </datalist>
    </div>
  );
}
