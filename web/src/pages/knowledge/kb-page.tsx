/**
 * One knowledge base: what it holds and how it fares, and its parts: search, ask, documents, files, graph.
 *
 * @module web/pages/knowledge/kb-page
 */
import { useNavigate, useParams } from '@solidjs/router';
import ArrowLeft from 'lucide-solid/icons/arrow-left';
import { createEffect, For, lazy, Match, on, onCleanup, Show, Suspense, Switch } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { kbPath, paths } from '../../app/pages.ts';
import { closePanel, openPanel, panel } from '../../app/ui.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { unlocked } from '../../data/owner.ts';
import { count, size } from '../../i18n/index.ts';
import { AskView } from './ask/ask-view.tsx';
import { DocumentsView } from './documents.tsx';
import { FilesView } from './files/files-view.tsx';
import { JobBar } from './files/jobs.tsx';
import { settle } from './files/uploading.ts';
import { createKb, type Kb } from './kb-state.ts';
import { followKbs } from './kbs.ts';
import { Locked } from './locked.tsx';
import { passagesOf } from './places.ts';
import { SearchView } from './search/search-view.tsx';
import { k } from './words/index.ts';
import '../pages.css';
import './ask/ask.css';
import './files/files.css';
import './knowledge.css';
import './search/search.css';

const Graph = lazy(() => import('./graph/index.tsx'));
const Refine = lazy(() => import('./refine/index.tsx'));
const Share = lazy(() => import('./share/index.tsx'));

const VIEWS = ['search', 'ask', 'documents', 'files', 'graph', 'refine', 'share'] as const;
type View = (typeof VIEWS)[number];

export default function KbPage() {
  const params = useParams();
  const name = () => params.kb ?? '';
  createEffect(() => {
    document.title = `${name()} · Kith`;
  });
  onCleanup(() => {
    if (panel()?.kind === 'source') closePanel();
  });
  followKbs();
  return (
    <div class="page knowledge kb">
      <Banner />
      <Show
        when={unlocked()}
        fallback={
          <div class="page-body narrow">
            <Locked open="kith open knowledge" commands={`kith rag query ${name()} "WORDS"`} />
          </div>
        }
      >
        <Show when={name()} keyed>
          {(called) => <Opened name={called} view={params.view} />}
        </Show>
      </Show>
    </div>
  );
}

function Opened(props: { readonly name: string; readonly view: string | undefined }) {
  const kb = createKb(props.name);
  const { state } = kb;
  const go = useNavigate();
  createEffect(
    on(
      () => state.jobs.map(({ id, state: now }) => `${id} ${now}`).join(),
      () => settle(props.name, state.jobs),
    ),
  );
  const view = (): View | null => {
    if (VIEWS.includes(props.view as View)) return props.view as View;
    if (state.view === null || props.view !== undefined) return null;
    return isEmpty() ? 'files' : 'search';
  };
  let tabs: HTMLElement | undefined;
  // On a phone not all of them have room.
  createEffect(
    on([view, () => state.view?.contents != null], () =>
      queueMicrotask(() => {
        const current = tabs?.querySelector<HTMLElement>('[aria-current]');
        if (tabs && current)
          tabs.scrollLeft = current.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
      }),
    ),
  );
  const isEmpty = () => state.view?.contents?.documents === 0;
  createEffect(
    on(
      () => props.view !== undefined && !VIEWS.includes(props.view as View),
      (unknown) => unknown && go(kbPath(props.name), { replace: true }),
    ),
  );
  return (
    <div class="page-body" classList={{ narrow: view() !== 'graph' }}>
      <a class="text-button back" href={paths.knowledge}>
        <ArrowLeft size={15} aria-hidden="true" />
        {k('kb.back')}
      </a>
      <Head kb={kb} />
      <Show when={state.fault}>
        {(fault) => (
          <div class="page-note">
            <ErrorNote fault={fault()} />
          </div>
        )}
      </Show>
      <Show when={state.view?.trouble}>
        {(trouble) => (
          <div class="note mild page-note">
            <p class="what" dir="auto">
              {trouble().message}
            </p>
            <p>{k('kb.awayMore')}</p>
            <div class="acts">
              <button type="button" class="button" onClick={() => void kb.refresh()}>
                {k('kb.again')}
              </button>
            </div>
          </div>
        )}
      </Show>
      <Show when={state.view?.contents}>
        <nav class="views" ref={tabs} aria-label={k('kb.views', { name: props.name })}>
          <For each={VIEWS}>
            {(one) => (
              <a href={kbPath(props.name, one)} aria-current={view() === one ? 'page' : undefined}>
                {k(`kb.${one}`)}
              </a>
            )}
          </For>
        </nav>
        <Show when={view() !== 'files'}>
          <JobBar kb={kb} />
        </Show>
        <Suspense>
          <Switch>
            <Match when={view() === 'search'}>
              <SearchView kb={kb} />
            </Match>
            <Match when={view() === 'ask'}>
              <AskView kb={kb} />
            </Match>
            <Match when={view() === 'documents'}>
              <DocumentsView kb={kb} />
            </Match>
            <Match when={view() === 'files'}>
              <FilesView kb={kb} />
            </Match>
            <Match when={view() === 'refine'}>
              <Refine kb={kb} />
            </Match>
            <Match when={view() === 'share'}>
              <Share kb={kb} />
            </Match>
            <Match when={view() === 'graph'}>
              <Graph
                kb={props.name}
                open={({ path, chunk }) =>
                  openPanel({
                    ...{ kind: 'source', kb: props.name, path, chunk, sentence: null },
                    stems: new Set<string>(),
                  })
                }
              />
            </Match>
          </Switch>
        </Suspense>
      </Show>
    </div>
  );
}

function Head(props: { readonly kb: Kb }) {
  const contents = () => props.kb.state.view?.contents ?? null;
  const failed = () => contents()?.files.failed ?? 0;
  const holds = () => {
    const all = contents();
    if (all === null) return '';
    if (all.documents === 0) return k('kb.empty');
    const words = { passages: passagesOf(all.chunks), size: size(all.bytes) };
    return all.documents === 1
      ? k('kb.holdsOne', words)
      : k('kb.holds', { documents: count(all.documents), ...words });
  };
  return (
    <>
      <h1 class="lede kb-lede">
        <bdi>{props.kb.name}</bdi>{' '}
        <span class="then">
          <Switch fallback={holds()}>
            <Match when={props.kb.state.view === null && props.kb.state.fault === null}>…</Match>
            <Match when={props.kb.state.view?.trouble}>{k('kb.away', { name: props.kb.name })}</Match>
          </Switch>
        </span>
      </h1>
      <Show when={failed() > 0}>
        <p class="attention">
          {failed() === 1 ? k('kb.notReadOne') : k('kb.notRead', { count: count(failed()) })}{' '}
          <a href={kbPath(props.kb.name, 'files')}>{k('kb.seeWhy')}</a>
        </p>
      </Show>
    </>
  );
}
