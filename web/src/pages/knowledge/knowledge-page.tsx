/**
 * The knowledge bases of this node: which there are, how they fare, and the first one.
 *
 * @module web/pages/knowledge
 */
import { useNavigate } from '@solidjs/router';
import Plus from 'lucide-solid/icons/plus';
import Trash from 'lucide-solid/icons/trash';
import { createEffect, createSignal, For, lazy, Match, Show, Suspense, Switch } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { kbPath } from '../../app/pages.ts';
import { Snippet } from '../../base/copy.tsx';
import { ErrorNote } from '../../base/error-note.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import { unlocked } from '../../data/owner.ts';
import { count, size, t } from '../../i18n/index.ts';
import type { KbView } from './desk.ts';
import { DestroyDialog } from './destroy-dialog.tsx';
import { followKbs, kbs } from './kbs.ts';
import { Locked } from './locked.tsx';
import { MakeDialog, MakeForm } from './make.tsx';
import { passagesOf } from './places.ts';
import { k } from './words/index.ts';
import '../pages.css';
import './knowledge.css';
import './list.css';

const Theirs = lazy(() => import('./share/theirs.tsx'));

export default function KnowledgePage() {
  followKbs();
  createEffect(() => {
    document.title = `${t('pages.knowledge')} · Kith`;
  });
  return (
    <div class="page knowledge">
      <Banner />
      <div class="page-body narrow">
        <Switch fallback={<h1 class="lede">{k('list.looking')}</h1>}>
          <Match when={!unlocked()}>
            <Locked open="kith open knowledge" commands={'kith rag list\nkith rag query NAME "WORDS"'} />
          </Match>
          <Match when={kbs.all}>{(all) => <Bases all={all()} />}</Match>
          <Match when={kbs.fault}>
            {(fault) => (
              <>
                <h1 class="lede">{k('list.notShown')}</h1>
                <div class="page-note">
                  <ErrorNote fault={fault()} />
                </div>
              </>
            )}
          </Match>
        </Switch>
      </div>
    </div>
  );
}

function Bases(props: { readonly all: readonly KbView[] }) {
  const [making, setMaking] = createSignal(false);
  const [removing, setRemoving] = createSignal<KbView | null>(null);
  return (
    <>
      <Lede all={props.all} />
      <Show when={kbs.fault}>
        {(fault) => (
          <div class="page-note">
            <ErrorNote fault={fault()} />
          </div>
        )}
      </Show>
      <Show when={props.all.length > 0} fallback={<First />}>
        <ul class="bases" aria-label={k('list.label')}>
          <For each={props.all}>{(kb) => <Base kb={kb} remove={() => setRemoving(kb)} />}</For>
        </ul>
        <div class="page-acts">
          <button type="button" class="button strong" onClick={() => setMaking(true)}>
            <Plus size={16} aria-hidden="true" />
            {k('list.make')}
          </button>
        </div>
      </Show>
      <Suspense>
        <Theirs />
      </Suspense>
      <Show when={making()}>
        <MakeDialog close={() => setMaking(false)} />
      </Show>
      <Show when={removing()}>
        {(kb) => <DestroyDialog kb={kb()} close={() => setRemoving(null)} done={() => setRemoving(null)} />}
      </Show>
    </>
  );
}

export const failedIn = (kb: KbView): number => kb.contents?.files.failed ?? 0;

function Lede(props: { readonly all: readonly KbView[] }) {
  const first = () => {
    if (props.all.length === 0) return k('list.ledeNone');
    return props.all.length === 1 ? k('list.ledeOne') : k('list.lede', { count: count(props.all.length) });
  };
  const then = () => {
    if (props.all.length === 0) return k('list.ledeNoneMore');
    const away = props.all.filter(({ trouble }) => trouble !== null).length;
    const failed = props.all.reduce((sum, kb) => sum + failedIn(kb), 0);
    if (away > 0) return k('list.away', { count: count(away) });
    if (props.all.some(({ jobs }) => jobs > 0)) return k('list.busy');
    if (failed === 0) return k('list.fine');
    return failed === 1 ? k('list.failedOne') : k('list.failed', { count: count(failed) });
  };
  return (
    <h1 class="lede">
      {first()} <span class="then">{then()}</span>
    </h1>
  );
}

function Base(props: { readonly kb: KbView; readonly remove: () => void }) {
  const contents = () => props.kb.contents;
  return (
    <li class="base">
      <a href={kbPath(props.kb.name)}>
        <span class="name">
          <bdi>{props.kb.name}</bdi>
        </span>
        <span class="holds">
          <Switch>
            <Match when={props.kb.trouble}>{(trouble) => <span dir="auto">{trouble().message}</span>}</Match>
            <Match when={contents()?.documents === 0 && props.kb.jobs === 0}>{k('list.empty')}</Match>
            <Match when={contents()}>
              {(all) =>
                k(all().documents === 1 ? 'list.documentsOne' : 'list.documents', {
                  documents: count(all().documents),
                  passages: passagesOf(all().chunks),
                  size: size(all().bytes),
                })
              }
            </Match>
          </Switch>
        </span>
      </a>
      <State kb={props.kb} />
      <IconButton label={k('list.remove', { name: props.kb.name })} onClick={props.remove}>
        <Trash size={16} aria-hidden="true" />
      </IconButton>
    </li>
  );
}

function State(props: { readonly kb: KbView }) {
  return (
    <span class="state">
      <Switch>
        <Match when={props.kb.trouble}>
          <span class="dot failed" />
          {k('list.gone')}
        </Match>
        <Match when={props.kb.jobs > 0}>
          <span class="dot live" />
          {k('list.taking')}
        </Match>
        <Match when={failedIn(props.kb) > 0}>
          <span class="dot warn" />
          {k('list.notRead', { count: count(failedIn(props.kb)) })}
        </Match>
      </Switch>
    </span>
  );
}

function First() {
  const go = useNavigate();
  return (
    <section class="first">
      <p class="sub">{k('list.none')}</p>
      <ol class="first-steps">
        <li>{k('list.steps.name')}</li>
        <li>{k('list.steps.files')}</li>
        <li>{k('list.steps.ask')}</li>
      </ol>
      <div class="card">
        <MakeForm made={(name) => go(kbPath(name, 'files'))} />
      </div>
      <p class="aside">{k('list.terminal')}</p>
      <Snippet text={'kith rag init notes\nkith rag sync notes ~/Notes'} />
    </section>
  );
}
