/**
 * Search in a knowledge base, as one types.
 *
 * @module web/pages/knowledge/search/search-view
 */
import Search from 'lucide-solid/icons/search';
import {
  createEffect,
  createMemo,
  createSignal,
  For,
  Match,
  on,
  onCleanup,
  onMount,
  Show,
  Switch,
} from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { ErrorNote } from '../../../base/error-note.tsx';
import { type Fault, faultIn } from '../../../data/node-error.ts';
import { count, duration } from '../../../i18n/index.ts';
import { type SearchView as Found, search } from '../desk.ts';
import type { Kb } from '../kb-state.ts';
import { NothingYet } from '../nothing-yet.tsx';
import { k } from '../words/index.ts';
import { Filters, filterOf, type Wanted } from './filters.tsx';
import { stemsOf } from './highlight.ts';
import { HitItem } from './hit.tsx';
import { searchedIn } from './searched.ts';
import { Steps } from './steps.tsx';

/** Typing pauses this long (ms) before the node is asked. */
const PAUSE_MS = 180;
const FIRST = 10;
const MOST = 50;

export function SearchView(props: { readonly kb: Kb }) {
  const { name } = props.kb;
  const kept = searchedIn(name);
  const [query, setQuery] = kept.query;
  const [wanted, setWanted] = kept.wanted;
  const [found, setFound] = kept.found;
  const [fault, setFault] = createSignal<Fault | null>(null);
  const [looking, setLooking] = createSignal(false);
  const [most, setCount] = createSignal(FIRST);
  let field!: HTMLInputElement;
  let list: HTMLOListElement | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: AbortController | null = null;
  onMount(() => {
    if (matchMedia('(pointer: fine)').matches) field.focus({ preventScroll: true });
  });
  onCleanup(() => {
    clearTimeout(timer);
    abort?.abort();
  });

  /** @param typing no model is asked while one types */
  async function look(typing = false): Promise<void> {
    clearTimeout(timer);
    abort?.abort();
    const asked = query().trim();
    if (asked === '') {
      setFound(null);
      setFault(null);
      setLooking(false);
      return;
    }
    const mine = new AbortController();
    abort = mine;
    setLooking(true);
    try {
      const { mode } = wanted();
      const filter = filterOf(wanted());
      const given = filter === null ? {} : { filter };
      const steps = typing ? ({ expand: [], rerank: 'none' } as const) : {};
      const view = await search(name, { query: asked, k: most(), mode, ...given, ...steps }, mine.signal);
      if (mine.signal.aborted) return;
      setFound({ asked, view });
      setFault(null);
      announce(saidOf(view));
    } catch (error) {
      if (!mine.signal.aborted) setFault(faultIn(error));
    } finally {
      if (abort === mine) setLooking(false);
    }
  }
  const soon = () => {
    setCount(FIRST);
    clearTimeout(timer);
    timer = setTimeout(() => void look(true), PAUSE_MS);
  };
  // What was taken in meanwhile counts, too.
  createEffect(
    on(
      () => props.kb.state.view?.contents?.chunks,
      (now, before) => {
        if (before !== undefined && now !== before && found() !== null) soon();
      },
    ),
  );

  const stems = createMemo(() => stemsOf(found()?.asked ?? ''));
  const titles = () => [...(list?.querySelectorAll<HTMLElement>('[data-hit]') ?? [])];
  const move = (event: KeyboardEvent, step: number) => {
    const all = titles();
    if (all.length === 0) return;
    event.preventDefault();
    const at = all.findIndex((one) => one.closest('li')?.contains(document.activeElement));
    if (at <= 0 && step < 0) return field.focus();
    const next = all[Math.min(all.length - 1, at + step)];
    next?.focus({ preventScroll: true });
    next?.closest('li')?.scrollIntoView({ block: 'nearest' });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown') move(event, 1);
    else if (event.key === 'ArrowUp') move(event, -1);
    else if (event.key === 'Enter' && event.target === field) void look();
    else if (event.key === 'Escape' && event.target !== field) field.focus();
  };
  const empty = () => props.kb.state.view?.contents?.chunks === 0;
  return (
    <section class="search" aria-label={k('kb.search')}>
      <div class="finder">
        <Search size={17} aria-hidden="true" />
        <input
          ref={field}
          type="search"
          data-ask
          dir="auto"
          aria-label={k('search.label', { name })}
          aria-describedby="search-keys"
          placeholder={k('search.placeholder')}
          maxlength="2000"
          value={query()}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            soon();
          }}
          onKeyDown={onKey}
        />
        <Show when={looking()}>
          <span class="dot live" />
        </Show>
      </div>
      <span class="unseen" id="search-keys">
        {k('search.keys')}
      </span>
      <Filters
        kb={props.kb}
        wanted={wanted()}
        change={(part) => {
          setWanted((before): Wanted => ({ ...before, ...part }));
          soon();
        }}
      />
      <Show when={fault()}>{(told) => <ErrorNote fault={told()} />}</Show>
      <Switch>
        <Match when={empty()}>
          <NothingYet kb={name} what={k('search.notYet')} more={k('search.notYetMore')} />
        </Match>
        <Match when={found()}>
          {(told) => (
            <>
              <Summary view={told().view} />
              <ol class="hits" aria-label={k('search.list')} ref={list} onKeyDown={onKey}>
                <For each={told().view.hits}>{(hit) => <HitItem kb={name} hit={hit} stems={stems()} />}</For>
              </ol>
              <Show when={told().view.hits.length >= most() && most() < MOST}>
                <div class="page-acts">
                  <button
                    type="button"
                    class="button"
                    onClick={() => {
                      setCount((before) => Math.min(MOST, before * 2));
                      void look();
                    }}
                  >
                    {k('search.more')}
                  </button>
                </div>
              </Show>
            </>
          )}
        </Match>
        <Match when={fault() === null}>
          <p class="nothing aside">{k('search.start')}</p>
        </Match>
      </Switch>
    </section>
  );
}

const saidOf = ({ hits, ms }: Found): string => {
  if (hits.length === 0) return k('search.none');
  const time = duration(ms);
  return hits.length === 1
    ? k('search.foundOne', { time })
    : k('search.found', { count: count(hits.length), time });
};

function Summary(props: { readonly view: Found }) {
  const ways = () => props.view.by.map((way) => k(`search.by.${way}`)).join(', ');
  return (
    <div class="summary">
      <p>
        <Show when={props.view.hits.length > 0} fallback={<strong>{k('search.none')}</strong>}>
          {saidOf(props.view)}
        </Show>{' '}
        <Show when={props.view.hits.length === 0}>{k('search.noneMore')}</Show>
      </p>
      <p class="aside">
        <Show when={props.view.route} fallback={<span class="ways">{ways()}</span>}>
          {(route) => <span dir="auto">{k(`search.ways.${route().taken}`, { why: route().why })}</span>}
        </Show>
      </p>
      <Show when={props.view.degraded}>
        {(trouble) => <p class="attention">{k('search.degraded', { why: trouble().message })}</p>}
      </Show>
      <Steps steps={props.view.steps} />
    </div>
  );
}
