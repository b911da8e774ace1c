/**
 * One knowledge base that lies with peers: how it stands there, what can be done with it, its Eves, and a search where it lies.
 *
 * @module web/pages/vault/placed-page
 */
import { useNavigate, useParams } from '@solidjs/router';
import ArrowLeft from 'lucide-solid/icons/arrow-left';
import { createEffect, createResource, createSignal, For, Match, on, Show, Switch } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Banner } from '../../app/banner.tsx';
import { kbPath, paths } from '../../app/pages.ts';
import { Confirm } from '../../base/confirm.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { faultIn } from '../../data/node-error.ts';
import { unlocked } from '../../data/owner.ts';
import { count } from '../../i18n/index.ts';
import { told } from '../knowledge/graph/told.ts';
import { createKb, type Kb } from '../knowledge/kb-state.ts';
import { followKbs, refreshKbs } from '../knowledge/kbs.ts';
import { Locked } from '../knowledge/locked.tsx';
import { ChangeMode } from './change-mode.tsx';
import { type CheckView, change, check, info, type PlacedView, remove, repair, upload } from './desk.ts';
import { createPicking, EvesPick } from './eves-pick.tsx';
import { copiesText, when } from './figures.ts';
import { Grants } from './grants.tsx';
import { openJob, VaultJobs } from './jobs.tsx';
import { ModeName } from './mode.tsx';
import { PlacedEves } from './placed-eves.tsx';
import { StateLine } from './placed-list.tsx';
import { PlacedSearch } from './search.tsx';
import { followVault, refreshVault, say, vault } from './vault-state.ts';
import { v } from './words.ts';
import '../pages.css';
import './vault.css';

export default function PlacedPage() {
  const params = useParams();
  const name = () => params.kb ?? '';
  followKbs();
  followVault();
  createEffect(() => {
    document.title = `${name()} · Kith`;
  });
  const placed = () => vault.placed?.find(({ kb }) => kb === name()) ?? null;
  return (
    <div class="page vault">
      <Banner />
      <div class="page-body">
        <Show
          when={unlocked()}
          fallback={<Locked open="kith open vault" commands={`kith vpk tenant info ${name()}`} />}
        >
          <a class="text-button back" href={paths.vault}>
            <ArrowLeft size={15} aria-hidden="true" />
            {v('kb.back')}
          </a>
          <Switch fallback={<h1 class="lede">{v('looking')}</h1>}>
            <Match when={placed()}>{(one) => <Opened name={name()} placed={one()} />}</Match>
            <Match when={vault.placed !== null}>
              <h1 class="lede">
                <bdi>{name()}</bdi> <span class="then">{v('kb.notKept')}</span>
              </h1>
            </Match>
            <Match when={vault.placedFault}>{(fault) => <ErrorNote fault={fault()} />}</Match>
          </Switch>
        </Show>
      </div>
    </div>
  );
}

function Opened(props: { readonly name: string; readonly placed: PlacedView }) {
  const kb = createKb(props.name);
  const [asked, { refetch }] = createResource(() => props.name, info);
  const [checked, setChecked] = createSignal<CheckView | null>(null);
  const changed = async () => {
    await Promise.all([kb.refresh(), refreshVault(), refreshKbs()]);
  };
  // What Eves keep is asked anew when a job ended, and when others are chosen.
  createEffect(
    on(
      () => [openJob(kb) === undefined, props.placed.number, props.placed.eves.length] as const,
      ([idle]) => {
        if (!idle) return;
        void refreshVault();
        // The state beside the name says of the list whether something is under way.
        void refreshKbs();
        void refetch();
      },
      { defer: true },
    ),
  );
  return (
    <>
      <Head placed={props.placed} />
      <Show when={kb.state.fault}>
        {(fault) => (
          <Show when={fault().status === 404} fallback={<ErrorNote fault={fault()} />}>
            <p class="warning">
              {v('kb.notHere')} <a href={paths.vault}>{v('kb.notHereDo')}</a>
            </p>
          </Show>
        )}
      </Show>
      <Deeds kb={kb} placed={props.placed} changed={changed} checked={setChecked} />
      <VaultJobs kb={kb} />
      <Show when={checked()?.forked}>
        {(number) => <p class="warning">{v('kb.forked', { number: count(number()) })}</p>}
      </Show>
      <PlacedEves
        placed={props.placed}
        tenants={told(asked)?.tenants ?? null}
        checked={checked()?.eves ?? null}
        changed={changed}
      />
      <Show when={asked.error}>
        <ErrorNote fault={faultIn(asked.error)}>
          <button type="button" class="button" onClick={() => void refetch()}>
            {v('again')}
          </button>
        </ErrorNote>
      </Show>
      <PlacedSearch kb={props.name} known={props.placed.warning} />
      <Grants kb={props.name} changed={changed} />
    </>
  );
}

function Head(props: { readonly placed: PlacedView }) {
  const one = () => props.placed;
  return (
    <>
      <h1 class="lede placed-lede">
        <a href={kbPath(one().kb)}>
          <bdi>{one().kb}</bdi>
        </a>{' '}
        <span class="then">
          <ModeName mode={one().mode} label={one().label} />{' '}
          {v(one().eves.length === 1 ? 'kb.ledeOne' : 'kb.lede', {
            copies: copiesText(one().replicas),
            eves: count(one().eves.length),
          })}
        </span>
      </h1>
      <p class="standing figures">
        <StateLine one={one()} />
        <Show when={one().number > 0}>
          <span>{v('kb.number', { number: count(one().number) })}</span>
        </Show>
        <Show when={one().synced}>{(at) => <span>{v('mine.synced', { when: when(at()) })}</span>}</Show>
      </p>
      <p class="sub">{v(`modeMeans.${one().mode}`)}</p>
      <Show when={one().warning}>
        {(warning) => (
          <p class="warning" dir="auto">
            {warning()}
          </p>
        )}
      </Show>
    </>
  );
}

interface DeedsProps {
  readonly kb: Kb;
  readonly placed: PlacedView;
  readonly changed: () => Promise<void>;
  readonly checked: (told: CheckView | null) => void;
}

function Deeds(props: DeedsProps) {
  const go = useNavigate();
  const deed = createDeed();
  const [checking, setChecking] = createSignal(false);
  const [adding, setAdding] = createSignal(false);
  const [changing, setChanging] = createSignal(false);
  const [removing, setRemoving] = createSignal(false);
  const name = () => props.placed.kb;
  const begin = (work: () => Promise<unknown>) =>
    void deed.run(async () => {
      await work();
      announce(v('kb.begun'));
      await props.changed();
    });
  const ask = () =>
    void deed.run(async () => {
      setChecking(true);
      props.checked(null);
      try {
        const told = await check(name());
        props.checked(told);
        const sound = told.eves.every((one) => one.asked > 0 && one.failed === 0 && one.why === null);
        announce(v(sound ? 'kb.checkedAll' : 'kb.checkedSome'));
      } finally {
        setChecking(false);
      }
    });
  const waitsForUpload = () => props.placed.stale === true && openJob(props.kb) === undefined;
  const acts = [
    { words: 'upload', run: () => begin(() => upload(name())) },
    { words: 'check', run: ask },
    { words: 'repair', run: () => begin(() => repair(name())) },
  ] as const;
  return (
    <section class="deeds" aria-label={v('kb.deeds')}>
      <ul class="deed-list">
        <For each={acts}>
          {({ words, run }) => (
            <li>
              <button
                type="button"
                class={words === 'upload' && waitsForUpload() ? 'button strong' : 'button'}
                disabled={deed.busy()}
                onClick={run}
              >
                {words === 'check' && checking() ? v('kb.checking') : v(`kb.${words}`)}
              </button>
              <span class="hint">{v(`kb.${words}Hint`)}</span>
            </li>
          )}
        </For>
      </ul>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div class="page-acts">
        <button
          type="button"
          class="button"
          aria-expanded={adding()}
          onClick={() => setAdding((open) => !open)}
        >
          {v('kb.add')}
        </button>
        <button
          type="button"
          class="button"
          aria-expanded={changing()}
          onClick={() => setChanging((open) => !open)}
        >
          {v('kb.otherwise')}
        </button>
        <button type="button" class="button danger" onClick={() => setRemoving(true)}>
          {v('kb.remove')}
        </button>
      </div>
      <Show when={adding()}>
        <AddEves placed={props.placed} changed={props.changed} close={() => setAdding(false)} />
      </Show>
      <Show when={changing()}>
        <ChangeMode placed={props.placed} changed={props.changed} close={() => setChanging(false)} />
      </Show>
      <Show when={removing()}>
        <Confirm
          title={v('kb.removeTitle', { kb: name() })}
          act={v('kb.removeDo')}
          close={() => setRemoving(false)}
          run={async () => {
            const { gone, left } = await remove(name());
            const words = [v('kb.removed', { count: count(gone.length) })];
            if (left.length > 0) words.push(v('kb.removedLeft', { count: count(left.length) }));
            announce(words.join(' '));
            say(words.join(' '));
            go(paths.vault);
            await refreshVault();
          }}
        >
          <p>{v('kb.removeMore')}</p>
        </Confirm>
      </Show>
    </section>
  );
}

function AddEves(props: {
  readonly placed: PlacedView;
  readonly changed: () => Promise<void>;
  readonly close: () => void;
}) {
  const picking = createPicking(() => props.placed.eves.map(({ peer }) => peer));
  const deed = createDeed();
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    if (picking.chosen().length === 0) return;
    void deed.run(async () => {
      await change(props.placed.kb, { add: picking.named() });
      announce(v('kb.begun'));
      props.close();
      await props.changed();
    });
  };
  return (
    <form class="card place-form" aria-label={v('kb.add')} onSubmit={go}>
      <p class="sub">{v('kb.addMore')}</p>
      <EvesPick picking={picking} label={v('kb.add')} />
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div class="page-acts">
        <button type="submit" class="button strong" disabled={deed.busy() || picking.chosen().length === 0}>
          {v('kb.addDo')}
        </button>
        <button type="button" class="button" onClick={props.close}>
          {v('place.cancel')}
        </button>
      </div>
    </form>
  );
}
