/**
 * The work on a knowledge base: what runs and how far it is, what waits, and how the last ended.
 *
 * @module web/pages/knowledge/files/jobs
 */
import { createUniqueId, For, Show } from 'solid-js';
import { kbPath } from '../../../app/pages.ts';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { count, moment, rate } from '../../../i18n/index.ts';
import { cancel, type JobView } from '../desk.ts';
import { isOpen, type Kb, openJobs } from '../kb-state.ts';
import { k, kIfKnown } from '../words/index.ts';

const EARLIER = 10;
const WAITING = 5;

const called = (job: JobView): string => k(`files.kinds.${job.kind}`, { what: job.what });

/** Others make something of what is there: words about files that were taken in do not fit them. */
const takesIn = ({ kind }: JobView): boolean => kind === 'ingest' || kind === 'sync' || kind === 'rebuild';

/** How much of what there is to look at; null: not known. */
function shareOf({ kind, progress: { totals, of } }: JobView): { done: number; of: number } | null {
  if (of === null || of === 0) return null;
  return { done: Math.min(of, kind === 'rebuild' ? totals.embedded : totals.files), of };
}

function amountOf(job: JobView): string {
  const { totals } = job.progress;
  if (!takesIn(job)) return k('files.jobStates.running');
  const share = shareOf(job);
  const parts = [];
  if (share === null) parts.push(k('files.progressUnknown', { done: count(totals.files) }));
  else {
    const words = { done: count(share.done), of: count(share.of) };
    parts.push(job.kind === 'rebuild' ? k('files.vectors', words) : k('files.progress', words));
  }
  if (totals.embedded > 0 && totals.elapsedMs > 1000)
    parts.push(k('files.rate', { rate: rate((totals.embedded * 1000) / totals.elapsedMs) }));
  return parts.join(', ');
}

/** What runs and what waits; nothing while nothing does. */
export function Running(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const open = () =>
    openJobs(props.kb.state).toSorted(
      (a, b) => Number(b.state === 'running') - Number(a.state === 'running') || a.id - b.id,
    );
  return (
    <Show when={open().length > 0}>
      <section class="running" aria-labelledby={id}>
        <h2 id={id}>{k('files.work')}</h2>
        <p class="sub">{k('files.workMore')}</p>
        <ul class="jobs">
          <For each={open().slice(0, WAITING)}>{(job) => <Row kb={props.kb} job={job} />}</For>
        </ul>
        <Show when={open().length > WAITING}>
          <p class="aside">{k('files.moreUploads', { count: count(open().length - WAITING) })}</p>
        </Show>
      </section>
    </Show>
  );
}

export function Earlier(props: { readonly kb: Kb }) {
  const over = () => props.kb.state.jobs.filter((job) => !isOpen(job)).slice(0, EARLIER);
  return (
    <Show when={over().length > 0}>
      <section>
        <details class="earlier">
          <summary>{k('files.earlier')}</summary>
          <ul class="jobs">
            <For each={over()}>{(job) => <Over job={job} />}</For>
          </ul>
        </details>
      </section>
    </Show>
  );
}

function Row(props: { readonly kb: Kb; readonly job: JobView }) {
  const deed = createDeed();
  const share = () => shareOf(props.job);
  return (
    <li class="work" data-job={props.job.id}>
      <span class="name">
        <span class={props.job.state === 'running' ? 'dot live' : 'dot'} /> <bdi>{called(props.job)}</bdi>
      </span>
      <button
        type="button"
        class="text-button"
        aria-label={k('files.cancelOf', { what: called(props.job) })}
        disabled={deed.busy()}
        onClick={() =>
          void deed.run(async () => {
            await cancel(props.kb.name, props.job.id);
            await props.kb.refresh();
          })
        }
      >
        {k('files.cancel')}
      </button>
      <Show when={props.job.state === 'running'}>
        <progress
          aria-label={called(props.job)}
          max={share()?.of ?? 1}
          {...(share() === null ? {} : { value: share()!.done })}
        />
      </Show>
      <span class="amount figures">
        {props.job.state === 'running' ? amountOf(props.job) : k(`files.jobStates.${props.job.state}`)}
      </span>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </li>
  );
}

function Over(props: { readonly job: JobView }) {
  const totals = () => props.job.progress.totals;
  const trouble = () => props.job.error;
  const { renamed, removed } = props.job.progress;
  return (
    <li class="over">
      <span class="name">
        <bdi>{called(props.job)}</bdi>
      </span>
      <span class="amount figures">
        {k(`files.jobStates.${props.job.state}`)}
        <Show when={props.job.ended}>{(at) => <>, {moment(at())}</>}</Show>
      </span>
      <span class="more">
        <Show when={takesIn(props.job)}>
          {k('files.result', {
            done: count(totals().done),
            skipped: count(totals().skipped),
            failed: count(totals().failed),
          })}
        </Show>
        <Show when={renamed + removed > 0}>
          {'; '}
          {k('files.moved', { renamed: count(renamed), removed: count(removed) })}
        </Show>
      </span>
      <Show when={trouble()}>
        {(told) => (
          <span class="more bad" dir="auto">
            {told().message} {kIfKnown(`files.remedy.${told().code}`)}
          </span>
        )}
      </Show>
    </li>
  );
}

/** On the other parts of the page: that something runs, and how far it is. */
export function JobBar(props: { readonly kb: Kb }) {
  const running = () =>
    openJobs(props.kb.state).find(({ state }) => state === 'running') ?? openJobs(props.kb.state)[0];
  return (
    <Show when={running()}>
      {(job) => (
        <a class="job-bar" href={kbPath(props.kb.name, 'files')}>
          <span class="dot live" />
          <bdi class="grow">{called(job())}</bdi>
          <span class="amount figures">{amountOf(job())}</span>
        </a>
      )}
    </Show>
  );
}
