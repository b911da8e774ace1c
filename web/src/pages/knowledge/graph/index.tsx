/**
 * The graph of a knowledge base as a map that can be read: communities are its regions, the names that are named most its
 * cities. Beside it the same as a list, or what is known of the name that is selected. What is selected stands in the address.
 *
 * @module web/pages/knowledge/graph
 */
import { A, useLocation, useSearchParams } from '@solidjs/router';
import {
  createEffect,
  createMemo,
  createResource,
  createSignal,
  Match,
  on,
  onCleanup,
  Show,
  Switch,
} from 'solid-js';
import { ErrorNote } from '../../../base/error-note.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { count } from '../../../i18n/index.ts';
import { type Atlas, atlasOf, idOf, STYLES } from './atlas.ts';
import { network, type Wanted } from './desk.ts';
import { DocumentPanel } from './document.tsx';
import { EntityPanel, type Source } from './entity.tsx';
import { Filters, type Shown, visibleOf } from './filters.tsx';
import { layOut } from './laying-out.ts';
import { NameList } from './list.tsx';
import { GraphMap, type MapView } from './map.tsx';
import { loadFor, measureIn } from './measure.ts';
import type { LayoutNews } from './messages.ts';
import { placedOf } from './placed.ts';
import { told } from './told.ts';
import { g } from './words.ts';
import './graph.css';

interface Props {
  readonly kb: string;
  /** Shows a passage of a document. Without, passages are no links. */
  readonly open?: (source: Source) => void;
}

export default function Graph(props: Props) {
  const [params] = useSearchParams<{ around?: string }>();
  const [limit, setLimit] = createSignal(500);
  const [documents, setDocuments] = createSignal(false);
  const wanted = createMemo((): Wanted & { kb: string } => ({
    kb: props.kb,
    limit: limit(),
    documents: documents(),
    around: params.around ?? null,
  }));
  const [fetched, { refetch }] = createResource(wanted, async (asked) => {
    const view = await network(asked.kb, asked);
    const names = view.nodes.map(({ name }) => name);
    await loadFor(family(), STYLES, names);
    return view;
  });
  /** Of the page: what is fetched may come before this is on it. */
  const family = () => getComputedStyle(document.body).fontFamily;
  const atlas = createMemo((before: Atlas | null): Atlas | null => {
    const view = told(fetched);
    if (view === undefined) return null;
    // While another one is fetched the map stays.
    if (fetched.loading && before !== null) return before;
    return atlasOf(view, measureIn(family(), STYLES));
  }, null);
  return (
    <div class="graph" aria-busy={fetched.loading}>
      <Switch>
        <Match when={fetched.error}>
          <ErrorNote fault={faultIn(fetched.error)}>
            <button type="button" class="button" onClick={() => void refetch()}>
              {g('again')}
            </button>
          </ErrorNote>
        </Match>
        <Match when={atlas() === null}>
          <p class="aside graph-wait" role="status">
            {g('loading')}
          </p>
        </Match>
        <Match when={atlas()?.nodes.length === 0}>
          <p class="graph-empty">
            <strong>{g('empty')}</strong> {g('emptyMore')}
          </p>
        </Match>
        <Match when={atlas()}>
          {(drawn) => (
            <Loaded
              kb={props.kb}
              open={props.open}
              atlas={drawn()}
              family={family()}
              around={params.around ?? null}
              documents={documents()}
              setDocuments={setDocuments}
              limit={limit()}
              setLimit={setLimit}
            />
          )}
        </Match>
      </Switch>
    </div>
  );
}

interface LoadedProps {
  readonly kb: string;
  readonly open: ((source: Source) => void) | undefined;
  readonly atlas: Atlas;
  readonly family: string;
  readonly around: string | null;
  readonly documents: boolean;
  readonly setDocuments: (on: boolean) => void;
  readonly limit: number;
  readonly setLimit: (limit: number) => void;
}

const everything: Shown = { without: new Set(), least: 1 };
const reduced = matchMedia('(prefers-reduced-motion: reduce)');

function Loaded(props: LoadedProps) {
  const at = useLocation();
  const [params, setParams] = useSearchParams<{ name?: string; file?: string; around?: string }>();
  const [news, setNews] = createSignal<{ readonly of: Atlas; readonly news: LayoutNews } | null>(null);
  const [failed, setFailed] = createSignal(false);
  const [shown, setShown] = createSignal(everything);
  let map: MapView | null = null;
  let stage!: HTMLDivElement;

  createEffect(() => {
    const { atlas } = props;
    setFailed(false);
    const end = layOut(
      atlas,
      stage.clientWidth / Math.max(1, stage.clientHeight),
      (now) => {
        // Without motion the map comes when it stands still.
        if (now.settled || !reduced.matches) setNews({ of: atlas, news: now });
      },
      () => setFailed(true),
    );
    onCleanup(end);
  });
  const visible = createMemo(() => visibleOf(props.atlas, shown()));
  const left = createMemo(() => visible().reduce((sum, each) => sum + each, 0));
  /** As large as the map is when all of it is seen, nearly: its sides differ less than those of its place. */
  const across = () => Math.min(stage.clientWidth * 0.8, stage.clientHeight * 0.95);
  const placed = createMemo(() => {
    const now = news();
    if (now === null || now.of !== props.atlas) return null;
    return placedOf(props.atlas, now.news, visible(), across(), measureIn(props.family, STYLES));
  });

  const selected = createMemo(() => {
    const id = params.file === undefined ? params.name : idOf({ kind: 'document', key: params.file });
    return id === undefined ? -1 : (props.atlas.indexOf.get(id) ?? -1);
  });
  const select = (node: number) => {
    if (node === selected()) return;
    const one = props.atlas.nodes[node];
    if (one === undefined) setParams({ name: undefined, file: undefined });
    else if (one.kind === 'document') setParams({ file: one.key, name: undefined });
    else setParams({ name: one.key, file: undefined });
  };
  const close = () => select(-1);
  const hrefOf = (
    change: Readonly<Record<'name' | 'file' | 'around', string | null | undefined>>,
  ): string => {
    const query = new URLSearchParams(at.search);
    for (const [name, value] of Object.entries(change)) {
      if (value === null) query.delete(name);
      else if (value !== undefined) query.set(name, value);
    }
    return `${at.pathname}?${query}`;
  };
  const entityHref = (key: string) => hrefOf({ name: key, file: null, around: undefined });
  const nodeHref = (node: number) => {
    const one = props.atlas.nodes[node]!;
    return one.kind === 'document'
      ? hrefOf({ file: one.key, name: null, around: undefined })
      : entityHref(one.key);
  };
  // Also when the address was opened, or another one was gone back to.
  createEffect(
    on([selected, () => placed()?.settled === true], ([node, settled]) => {
      if (node >= 0 && settled) queueMicrotask(() => map?.goTo(node));
    }),
  );
  const regions = () => placed()?.regions.length ?? 0;
  const lede = () => {
    const names = props.atlas.nodes.filter(({ kind }) => kind === 'entity').length;
    if (names === 1) return g('ledeOne');
    if (regions() < 2) return g('ledeFew', { names: count(names) });
    return g('lede', { names: count(names), regions: count(regions()) });
  };
  const centre = () =>
    props.atlas.nodes[props.atlas.indexOf.get(props.around ?? '') ?? -1]?.name ?? props.around;
  return (
    <>
      <div class="graph-head">
        <p class="graph-lede">
          {lede()}{' '}
          <span class="then">
            <Show
              when={props.around !== null}
              fallback={
                props.atlas.of > props.atlas.nodes.length
                  ? g(props.documents ? 'ofBoth' : 'of', { all: count(props.atlas.of) })
                  : g('whole')
              }
            >
              {g('around', { name: centre() ?? '' })}{' '}
              <A class="text-button" href={hrefOf({ around: null, name: undefined, file: undefined })}>
                {g('backToAll')}
              </A>
            </Show>
          </span>
        </p>
        <Filters
          atlas={props.atlas}
          shown={shown()}
          change={setShown}
          documents={props.documents}
          setDocuments={props.setDocuments}
          limit={props.limit}
          setLimit={props.setLimit}
        />
      </div>
      <div class="graph-body">
        <div class="graph-stage" ref={stage}>
          <GraphMap
            atlas={props.atlas}
            placed={placed()}
            visible={visible()}
            selected={selected()}
            select={select}
            ready={(view) => {
              map = view;
            }}
          />
          <p class="graph-state" role="status">
            <Show when={!failed()} fallback={g('noWorker')}>
              <Show when={placed() !== null} fallback={g('drawing')}>
                <span classList={{ unseen: placed()!.settled }}>
                  {placed()!.settled ? g('settled') : g('settling')}
                </span>
              </Show>
            </Show>
          </p>
          <Show when={left() === 0}>
            <p class="graph-nothing">
              {g('filtered')}{' '}
              <button type="button" class="button" onClick={() => setShown(everything)}>
                {g('clear')}
              </button>
            </p>
          </Show>
        </div>
        <aside class="graph-side" aria-label={params.name ?? params.file ?? g('names')}>
          <Switch
            fallback={
              <NameList
                kb={props.kb}
                atlas={props.atlas}
                visible={visible()}
                select={select}
                selectKey={(key) => setParams({ name: key, file: undefined })}
              />
            }
          >
            <Match when={params.file !== undefined && selected() >= 0}>
              <DocumentPanel
                atlas={props.atlas}
                node={selected()}
                hrefOf={nodeHref}
                open={props.open}
                close={close}
              />
            </Match>
            <Match when={params.file === undefined && params.name}>
              {(key) => (
                <EntityPanel
                  kb={props.kb}
                  key={key()}
                  drawn={selected() >= 0}
                  hrefOf={entityHref}
                  aroundHref={
                    key() === props.around ? null : hrefOf({ around: key(), name: key(), file: null })
                  }
                  open={props.open}
                  close={() => setParams({ name: undefined, file: undefined })}
                />
              )}
            </Match>
          </Switch>
        </aside>
      </div>
    </>
  );
}
