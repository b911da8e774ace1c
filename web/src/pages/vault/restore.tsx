/**
 * Makes knowledge bases again from what peers keep for the key of this node.
 *
 * @module web/pages/vault/restore
 */
import { createSignal, createUniqueId, For, onCleanup, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { kbPath } from '../../app/pages.ts';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { count, size } from '../../i18n/index.ts';
import { job as nextOf } from '../knowledge/desk.ts';
import { isOpen } from '../knowledge/kb-state.ts';
import { kbs, refreshKbs } from '../knowledge/kbs.ts';
import { type FoundKb, find, type JobView, restore } from './desk.ts';
import { ModeName } from './mode.tsx';
import { EveName } from './operator.tsx';
import { createPeerEntry, PeerField, PeerHint } from './peer-field.tsx';
import { refreshVault } from './vault-state.ts';
import { v } from './words.ts';

export function Restore() {
  const id = createUniqueId();
  const entry = createPeerEntry();
  const [found, setFound] = createSignal<readonly FoundKb[] | null>(null);
  const deed = createDeed();
  const look = (event: SubmitEvent) => {
    event.preventDefault();
    const named = entry.checked(true);
    if (named === null) return;
    void deed.run(async () => {
      setFound(null);
      setFound(await find(named === '' ? [] : [named]));
    });
  };
  return (
    <section class="restore" aria-labelledby={id}>
      <h2 id={id}>{v('restore.title')}</h2>
      <p class="sub">{v('restore.more')}</p>
      <form class="line-form" onSubmit={look}>
        <PeerField id={`${id}-peer`} label={v('restore.peer')} entry={entry} />
        <button type="submit" class="button" disabled={deed.busy()}>
          {deed.busy() ? v('restore.looking') : v('restore.look')}
        </button>
      </form>
      <PeerHint id={`${id}-peer`} entry={entry} hint={v('restore.peerHint')} />
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div role="status">
        <Show when={found()?.length === 0}>
          <p class="nothing">{v('restore.none')}</p>
        </Show>
      </div>
      <Show when={found()?.length}>
        <ul class="founds" aria-label={v('restore.found')}>
          <For each={found()}>{(one) => <Found one={one} />}</For>
        </ul>
      </Show>
    </section>
  );
}

function Found(props: { readonly one: FoundKb }) {
  const id = createUniqueId();
  const { name: called, eves, mode, at } = props.one;
  const [name, setName] = createSignal(freeName(called));
  const [done, setDone] = createSignal<string | null>(null);
  const deed = createDeed();
  const [job, setJob] = createSignal<JobView | null>(null);
  const gone = new AbortController();
  onCleanup(() => gone.abort());
  /** Follows the work until it is over. True: it is back. */
  async function ended(kb: string, begun: JobView): Promise<boolean> {
    let now = begun;
    setJob(now);
    while (isOpen(now) && !gone.signal.aborted) {
      now = await nextOf(kb, now.id, now.step, gone.signal);
      setJob(now);
    }
    return now.state === 'done';
  }
  const share = () => {
    const { of = null, totals } = job()?.progress ?? {};
    return of === null || of === 0 || totals === undefined
      ? null
      : { done: Math.min(of, totals.files), of, bytes: totals.bytes };
  };
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const as = name().trim();
    if (as === '') return;
    void deed.run(async () => {
      // Its id: names are not unique among what peers keep.
      const begun = await restore(as, props.one.id, at);
      announce(v('restore.begun', { kb: as }));
      if (!(await ended(as, begun))) return;
      setDone(as);
      announce(v('restore.done', { kb: as }));
      await Promise.all([refreshKbs(), refreshVault()]);
    });
  };
  return (
    <li class="found" data-kb={called}>
      <div class="found-what">
        <bdi class="name">{called}</bdi>
        <span class="more">
          <ModeName mode={mode} label={props.one.label} />
          {at.length === 1 ? v('restore.atOne') : v('restore.at', { count: count(at.length) })}
        </span>
        <span class="eves">
          <For each={eves}>{(eve) => <EveName placed={props.one} eve={eve} />}</For>
        </span>
      </div>
      <Show when={props.one.warning}>
        {(warning) => (
          <p class="warning" dir="auto">
            {warning()}
          </p>
        )}
      </Show>
      <Show
        when={done()}
        fallback={
          <form class="line-form" onSubmit={go}>
            <div class="field">
              <label for={id}>{v('restore.name')}</label>
              <input
                id={id}
                class="input"
                dir="ltr"
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                maxlength="64"
                aria-label={v('restore.nameOf', { kb: called })}
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </div>
            <button
              type="submit"
              class="button"
              aria-label={v('restore.doOf', { kb: called })}
              disabled={deed.busy() || name().trim() === ''}
            >
              {v('restore.do')}
            </button>
          </form>
        }
      >
        {(kb) => (
          <p class="restored">
            {v('restore.done', { kb: kb() })} <a href={kbPath(kb())}>{v('restore.open')}</a>
          </p>
        )}
      </Show>
      <Show when={deed.busy()}>
        <div class="work">
          <span class="name">
            <span class="dot live" /> {v('restore.doing')}
          </span>
          <span class="amount figures">
            <Show when={share()}>
              {(part) =>
                v('restore.parts', {
                  done: count(part().done),
                  of: count(part().of),
                  size: size(part().bytes),
                })
              }
            </Show>
          </span>
          <progress
            aria-label={v('restore.doing')}
            max={share()?.of ?? 1}
            {...(share() === null ? {} : { value: share()!.done })}
          />
        </div>
      </Show>
      <Show when={job()?.error}>
        {(error) => (
          <p class="trouble" role="alert" dir="auto">
            {error().message}
          </p>
        )}
      </Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </li>
  );
}

/** As it was called, with a number where that is taken here. */
function freeName(called: string): string {
  const taken = new Set((kbs.all ?? []).map(({ name }) => name));
  for (let at = 1; ; at++) {
    const name = at === 1 ? called : `${called}-${at}`;
    if (!taken.has(name)) return name;
  }
}
