/**
 * What is known of the name that is selected: how it is written, what says so, what it stands with, and when.
 *
 * @module web/pages/knowledge/graph/entity
 */
import { A } from '@solidjs/router';
import X from 'lucide-solid/icons/x';
import { createEffect, createResource, For, type JSX, Match, Show, Switch } from 'solid-js';
import type {
  EntityDetail,
  EntityDocument,
  Said,
  TimelineEntry,
} from '../../../../../src/server/rag/graph-types.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { IconButton } from '../../../base/icon-button.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { count } from '../../../i18n/index.ts';
import { type Kind, kindOf } from './atlas.ts';
import { entity } from './desk.ts';
import { Mark } from './mark.tsx';
import { told } from './told.ts';
import { g } from './words.ts';

export interface Source {
  readonly path: string;
  /** Null: the document from its beginning. */
  readonly chunk: string | null;
}

interface Props {
  readonly kb: string;
  readonly key: string;
  /** False: the map has no mark for it. */
  readonly drawn: boolean;
  /** Address of a name's own view. */
  readonly hrefOf: (key: string) => string;
  /** Null: the map is of what is around it. */
  readonly aroundHref: string | null;
  readonly open: ((source: Source) => void) | undefined;
  readonly close: () => void;
}

export function EntityPanel(props: Props) {
  const [found] = createResource(
    () => ({ kb: props.kb, key: props.key }),
    ({ kb, key }) => entity(kb, key),
  );
  const detail = () => told(found);
  return (
    <Switch>
      <Match when={found.error}>
        <div class="graph-panel">
          <PanelHead name={props.key} kind="Thing" close={props.close} />
          <ErrorNote fault={faultIn(found.error)} />
        </div>
      </Match>
      <Match when={detail()}>{(one) => <Detail {...props} detail={one()} />}</Match>
      <Match when={found.loading}>
        <div class="graph-panel" aria-busy="true">
          <PanelHead name={props.key} kind="Thing" close={props.close} />
          <p class="aside" role="status">
            {g('reading')}
          </p>
        </div>
      </Match>
    </Switch>
  );
}

export function PanelHead(props: {
  readonly name: string;
  readonly kind: Kind;
  readonly said?: Said | null;
  readonly close: () => void;
}) {
  let head!: HTMLHeadingElement;
  // Whoever chose it goes on reading here.
  createEffect(() => {
    props.name;
    head.focus({ preventScroll: true });
  });
  return (
    <header>
      <div>
        <h2 ref={head} tabindex="-1" dir="auto">
          {props.name}
        </h2>
        <p class="graph-type">
          <Mark kind={props.kind} /> {g(`kind.${props.kind}`)}
          <Show when={props.said}>
            {(said) => (
              <span class="aside" title={said().why}>
                {' '}
                {g(`typeBy.${said().by}`)}
              </span>
            )}
          </Show>
        </p>
      </div>
      <IconButton label={g('close')} onClick={props.close}>
        <X size={18} aria-hidden="true" />
      </IconButton>
    </header>
  );
}

function Detail(props: Props & { readonly detail: EntityDetail }) {
  const one = () => props.detail;
  const kind = () => kindOf({ ...one(), kind: 'entity', weight: one().mentions });
  const counts = () => {
    if (one().mentions === 1) return g('mentionOnce');
    const mentions = count(one().mentions);
    return one().documents === 1
      ? g('mentionsOne', { mentions })
      : g('mentions', { mentions, documents: count(one().documents) });
  };
  return (
    <div class="graph-panel">
      <PanelHead name={one().name} kind={kind()} said={one().said} close={props.close} />
      <p class="graph-counts">{counts()}</p>
      <Show when={one().aliases.length > 0}>
        <p class="graph-aliases">
          <span class="aside">{g('aliases')}</span> <bdi>{one().aliases.join(', ')}</bdi>
        </p>
      </Show>
      <p class="graph-acts">
        <Show when={!props.drawn}>
          <span class="aside">{g('notHere')}</span>
        </Show>
        <Show when={props.aroundHref}>
          {(href) => (
            <A class="text-button" href={href()}>
              {g('drawAround')}
            </A>
          )}
        </Show>
      </p>
      <Show when={one().summary}>
        {(summary) => (
          <Part title={g('summary')}>
            <p dir="auto">{summary().text}</p>
            <p class="aside">{g(`typeBy.${summary().said.by}`)}</p>
          </Part>
        )}
      </Show>
      <Show when={one().relations.length > 0}>
        <Part title={g('relations')}>
          <dl class="graph-relations">
            <For each={one().relations}>
              {(relation) => (
                <div title={relation.sentence ?? undefined}>
                  <dt>{relation.property}</dt>
                  <dd dir="auto">
                    <Show when={relation.object} fallback={relation.value}>
                      {(object) => (
                        <A href={props.hrefOf(object().key)} noScroll>
                          {object().name}
                        </A>
                      )}
                    </Show>
                  </dd>
                </div>
              )}
            </For>
          </dl>
        </Part>
      </Show>
      <Part title={g('neighbours')}>
        <Show when={one().neighbours.length > 0} fallback={<p class="aside">{g('noNeighbours')}</p>}>
          <ul class="graph-neighbours">
            <For each={one().neighbours}>
              {(near) => (
                <li>
                  <A href={props.hrefOf(near.key)} noScroll title={sharedWords(near.shared)}>
                    <Mark kind={kindOf({ ...near, kind: 'entity', community: null })} />
                    <span class="name" dir="auto">
                      {near.name}
                    </span>
                    <bdi class="weight">{count(near.shared)}</bdi>
                    <span class="unseen">{sharedWords(near.shared)}</span>
                  </A>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </Part>
      <Part title={g('passages')}>
        <For each={one().places}>{(place) => <Passages place={place} open={props.open} />}</For>
      </Part>
      <Show when={one().timeline.length > 0}>
        <Part title={g('timeline')}>
          <ol class="graph-timeline">
            <For each={one().timeline}>{(entry) => <Moment entry={entry} open={props.open} />}</For>
          </ol>
        </Part>
      </Show>
    </div>
  );
}

const sharedWords = (shared: number): string =>
  shared === 1 ? g('neighbourOnce') : g('neighbourShared', { count: count(shared) });

function Part(props: { readonly title: string; readonly children: JSX.Element }) {
  return (
    <section>
      <h3>{props.title}</h3>
      {props.children}
    </section>
  );
}

function Passages(props: { readonly place: EntityDocument; readonly open: Props['open'] }) {
  const left = () => props.place.mentions - props.place.chunks.length;
  return (
    <div class="graph-place">
      <h4 dir="auto" title={props.place.path}>
        {props.place.title || props.place.path}
      </h4>
      <ul>
        <For each={props.place.chunks}>
          {(chunk) => (
            <li>
              <Jump open={props.open} path={props.place.path} chunk={chunk.id}>
                {chunk.sentence}
              </Jump>
            </li>
          )}
        </For>
      </ul>
      <Show when={left() > 0}>
        <p class="aside">{g('more', { count: count(left()) })}</p>
      </Show>
    </div>
  );
}

function Moment(props: { readonly entry: TimelineEntry; readonly open: Props['open'] }) {
  return (
    <li>
      <time datetime={props.entry.from} dir="auto">
        {props.entry.written}
      </time>
      <Jump open={props.open} path={props.entry.path} chunk={props.entry.chunk}>
        {props.entry.sentence}
      </Jump>
    </li>
  );
}

/** A sentence of a document; leads to it where the page can show it. */
function Jump(props: {
  readonly open: Props['open'];
  readonly path: string;
  readonly chunk: string;
  readonly children: string;
}) {
  return (
    <Show when={props.open} fallback={<p dir="auto">{props.children}</p>}>
      {(open) => (
        <button
          type="button"
          class="graph-jump"
          dir="auto"
          title={g('openAt')}
          onClick={() => open()({ path: props.path, chunk: props.chunk })}
        >
          {props.children}
        </button>
      )}
    </Show>
  );
}
