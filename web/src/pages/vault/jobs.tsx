/**
 * The work between a knowledge base and its Eves: what runs and how far it is, and how the last ended.
 *
 * @module web/pages/vault/jobs
 */
import { createUniqueId, For, Match, Show, Switch } from 'solid-js';
import { count, moment, size } from '../../i18n/index.ts';
import { isOpen, type Kb } from '../knowledge/kb-state.ts';
import type { JobView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { v } from './words.ts';

const ofVault = ({ kind }: JobView): boolean => kind === 'vault';

/** What runs or waits; then the one that ended last. */
export const openJob = (kb: Kb): JobView | undefined => {
  const open = kb.state.jobs.filter((job) => ofVault(job) && isOpen(job));
  return open.find(({ state }) => state === 'running') ?? open[0];
};
const lastJob = (kb: Kb): JobView | undefined =>
  kb.state.jobs.filter((job) => ofVault(job) && !isOpen(job)).toSorted((a, b) => b.id - a.id)[0];

export function VaultJobs(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  return (
    <Show when={openJob(props.kb) ?? lastJob(props.kb)}>
      {(job) => (
        <section class="vault-work" aria-labelledby={id}>
          <h2 id={id}>{v('kb.work')}</h2>
          <Show when={openJob(props.kb)} fallback={<Over job={job()} />}>
            {(open) => <Running job={open()} />}
          </Show>
        </section>
      )}
    </Show>
  );
}

function Running(props: { readonly job: JobView }) {
  const share = () => {
    const { of, totals } = props.job.progress;
    return of === null || of === 0 ? null : { done: Math.min(of, totals.files), of };
  };
  return (
    <div class="work" data-job={props.job.id}>
      <span class="name">
        <span class={props.job.state === 'running' ? 'dot live' : 'dot'} /> <bdi>{props.job.what}</bdi>
      </span>
      <span class="amount figures">
        <Show when={share()}>
          {(part) => v('kb.parts', { done: count(part().done), of: count(part().of) })}
        </Show>
      </span>
      <Show when={props.job.state === 'running'}>
        <progress
          aria-label={props.job.what}
          max={share()?.of ?? 1}
          {...(share() === null ? {} : { value: share()!.done })}
        />
      </Show>
      <span class="more">{props.job.state === 'running' ? v('kb.running') : v('kb.waiting')}</span>
    </div>
  );
}

function Over(props: { readonly job: JobView }) {
  const totals = () => props.job.progress.totals;
  return (
    <div class="over" data-job={props.job.id} data-state={props.job.state}>
      <span class="name">
        <span class={props.job.state === 'failed' ? 'dot failed' : 'dot ready'} /> <bdi>{props.job.what}</bdi>
      </span>
      <span class="amount figures">
        {props.job.state === 'cancelled' ? v('kb.cancelled') : props.job.state === 'done' ? v('kb.done') : ''}
        <Show when={props.job.ended}>{(at) => <>, {moment(at())}</>}</Show>
      </span>
      <Switch>
        <Match when={props.job.error}>
          {(error) => (
            <p class="trouble" dir="auto">
              {error().message}
            </p>
          )}
        </Match>
        <Match when={props.job.state === 'done'}>
          <span class="more figures">
            {v('kb.sent', {
              changed: count(totals().done),
              erased: count(props.job.progress.removed),
              size: size(totals().bytes),
            })}
          </span>
        </Match>
      </Switch>
      <For each={props.job.progress.failures}>
        {({ path, message }) => (
          <p class="trouble" dir="auto">
            {v('kb.away', { peer: shortPeer(path), why: message })}
          </p>
        )}
      </For>
    </div>
  );
}
