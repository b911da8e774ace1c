/**
 * Dreams: one is begun with what it may take, and each of before says what it did and can be undone.
 *
 * @module web/pages/knowledge/refine/dreams
 */
import { createEffect, createResource, createSignal, createUniqueId, For, on, Show } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { Confirm } from '../../../base/confirm.tsx';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { node } from '../../../data/node-state.ts';
import { count, duration, moment } from '../../../i18n/index.ts';
import { percent } from '../figures.ts';
import { told } from '../graph/told.ts';
import type { Kb } from '../kb-state.ts';
import { beginDream, type DreamView, dreams, undoDream } from './desk.ts';
import { Journal } from './journal.tsx';
import { r } from './words.ts';

const BUDGETS = { m1: 60_000, m10: 600_000, h1: 3_600_000, h8: 28_800_000 } as const;
type Budget = keyof typeof BUDGETS;
const CALLS = [10, 50, 200, 1000] as const;
/** No score of a merge is as high: none is made. */
const NEVER = 2;

export function Dreams(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name, state } = props.kb;
  const [found, { refetch }] = createResource(() => dreams(name));
  // A dream is a job: whatever becomes of that changes the list.
  createEffect(
    on(
      () =>
        state.jobs
          .filter(({ kind }) => kind === 'dream')
          .map(({ id: job, state: now }) => `${job} ${now}`)
          .join(),
      () => void refetch(),
      { defer: true },
    ),
  );
  const running = () => told(found)?.some(({ state: now }) => now === 'running') ?? false;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{r('dreams')}</h2>
      <p class="sub">{r('dreamsMore')}</p>
      <Begin
        kb={props.kb}
        running={running()}
        begun={async () => {
          await props.kb.refresh();
          await refetch();
        }}
      />
      <Show when={found.error}>
        <ErrorNote fault={faultIn(found.error)}>
          <button type="button" class="button" onClick={() => void refetch()}>
            {r('again')}
          </button>
        </ErrorNote>
      </Show>
      <Show when={told(found)}>
        {(all) => (
          <Show when={all().length > 0} fallback={<p class="aside">{r('none')}</p>}>
            <ul class="runs" aria-label={r('runs')}>
              <For each={all()}>
                {(run) => <Run kb={props.kb} run={run} changed={async () => void (await refetch())} />}
              </For>
            </ul>
          </Show>
        )}
      </Show>
    </section>
  );
}

function Begin(props: {
  readonly kb: Kb;
  readonly running: boolean;
  readonly begun: () => Promise<unknown>;
}) {
  const id = createUniqueId();
  const [budget, setBudget] = createSignal<Budget>('m1');
  const [model, setModel] = createSignal('');
  const [calls, setCalls] = createSignal<number>(50);
  const [merging, setMerging] = createSignal(true);
  const deed = createDeed();
  const begin = (event: SubmitEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      const ms = BUDGETS[budget()];
      const reads = model() === '' ? { model: null } : { model: model(), calls: calls() };
      await beginDream(props.kb.name, { ms, ...reads, ...(merging() ? {} : { mergeAt: NEVER }) });
      announce(r('began'));
      await props.begun();
    });
  };
  return (
    <form class="dream-form" onSubmit={begin}>
      <div class="field">
        <label for={`${id}-budget`}>{r('budget')}</label>
        <select
          id={`${id}-budget`}
          class="input"
          value={budget()}
          onChange={(event) => setBudget(event.currentTarget.value as Budget)}
        >
          <For each={Object.keys(BUDGETS) as Budget[]}>
            {(one) => <option value={one}>{r(`budgets.${one}`)}</option>}
          </For>
        </select>
      </div>
      <div class="field">
        <label for={`${id}-model`}>{r('model')}</label>
        <select
          id={`${id}-model`}
          class="input"
          value={model()}
          onChange={(event) => setModel(event.currentTarget.value)}
        >
          <option value="">{r('models.none')}</option>
          <option value="auto">{r('models.auto')}</option>
          <For each={node.models ?? []}>
            {(one) => <option value={one.id}>{r('models.own', { model: one.id })}</option>}
          </For>
        </select>
      </div>
      <Show when={model() !== ''}>
        <div class="field">
          <label for={`${id}-calls`}>{r('calls')}</label>
          <select
            id={`${id}-calls`}
            class="input"
            value={String(calls())}
            onChange={(event) => setCalls(Number(event.currentTarget.value))}
          >
            <For each={CALLS}>{(one) => <option value={one}>{count(one)}</option>}</For>
          </select>
        </div>
      </Show>
      <label class="check">
        <input
          type="checkbox"
          checked={merging()}
          onChange={(event) => setMerging(event.currentTarget.checked)}
        />
        {r('mergesToo')}
      </label>
      <button type="submit" class="button strong" disabled={deed.busy() || props.running}>
        {r('run')}
      </button>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </form>
  );
}

function Run(props: { readonly kb: Kb; readonly run: DreamView; readonly changed: () => Promise<void> }) {
  const [open, setOpen] = createSignal(false);
  const [undoing, setUndoing] = createSignal(false);
  const run = () => props.run;
  const found = () => {
    const { types, summaries, relations, merges } = run().found;
    return r('found', {
      types: count(types),
      summaries: count(summaries),
      relations: count(relations),
      merges: count(merges),
    });
  };
  return (
    <li class="run" data-state={run().state}>
      <div class="run-head">
        <span class="name">
          <span
            class="dot"
            classList={{
              live: run().state === 'running',
              ready: run().state === 'done',
              warn: run().state === 'stopped',
            }}
          />{' '}
          {r('of', { id: count(run().id) })}
        </span>
        <span class="aside figures">
          {r(`states.${run().state}`)}, {moment(run().began)}, {duration(run().spentMs)}
        </span>
      </div>
      <p class="figures">
        {found()}
        <Show when={run().after}>
          {(after) => (
            <>
              {'. '}
              {r('gained', { before: percent(run().before.score), after: percent(after().score) })}
            </>
          )}
        </Show>
      </p>
      <Show when={run().model !== null && run().found.calls > 0}>
        <p class="more">
          {r('read', {
            calls: count(run().found.calls),
            model: run().model ?? '',
            kept: count(run().found.kept),
            refused: count(run().found.refused),
          })}
        </p>
      </Show>
      <Show when={run().stopped}>
        {(why) => (
          <p class="more">
            {r(`stoppedBy.${why()}`)} <span dir="auto">{run().note}</span>
          </p>
        )}
      </Show>
      <div class="run-acts">
        <button
          type="button"
          class="text-button"
          aria-expanded={open()}
          onClick={() => setOpen((now) => !now)}
        >
          {open() ? r('journalHide') : r('journal')}
        </button>
        <Show when={run().state === 'done' || run().state === 'stopped'}>
          <button type="button" class="text-button" onClick={() => setUndoing(true)}>
            {r('undo')}
          </button>
        </Show>
      </div>
      <Show when={open()}>
        <Journal kb={props.kb.name} run={run().id} changes={run().state} />
      </Show>
      <Show when={undoing()}>
        <Confirm
          title={r('undoTitle', { id: count(run().id) })}
          act={r('undo')}
          close={() => setUndoing(false)}
          run={async () => {
            await undoDream(props.kb.name, run().id);
            announce(r('undone', { id: count(run().id) }));
            await props.changed();
          }}
        >
          <p>{r('undoMore')}</p>
        </Confirm>
      </Show>
    </li>
  );
}
