/**
 * Searches a knowledge base where it lies: what was found, how long each step took, what went over the wire, and who learned what.
 *
 * @module web/pages/vault/search
 */
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { count, duration, fraction, size } from '../../i18n/index.ts';
import { headingsOf, placeWords } from '../knowledge/places.ts';
import { type PlacedSearchView, search } from './desk.ts';
import { v } from './words.ts';

/** Characters of a passage that are shown. */
const SHOWN = 420;
const STEPS = ['open', 'embed', 'own', 'scores', 'rows', 'texts'] as const;

/** @param props.known what the page says of the mode already */
export function PlacedSearch(props: { readonly kb: string; readonly known: string | null }) {
  const id = createUniqueId();
  const [question, setQuestion] = createSignal('');
  const [found, setFound] = createSignal<PlacedSearchView | null>(null);
  const deed = createDeed();
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const asked = question().trim();
    if (asked === '') return;
    void deed.run(async () => {
      const told = await search(props.kb, asked);
      setFound(told);
      announce(hitsText(told));
    });
  };
  return (
    <section class="placed-search" aria-labelledby={id}>
      <h2 id={id}>{v('search.title')}</h2>
      <p class="sub">{v('search.more')}</p>
      <form class="line-form" onSubmit={go}>
        <input
          class="input"
          type="search"
          dir="auto"
          autocomplete="off"
          maxlength="20000"
          aria-label={v('search.label')}
          placeholder={v('search.label')}
          value={question()}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
        <button type="submit" class="button strong" disabled={deed.busy() || question().trim() === ''}>
          {deed.busy() ? v('search.doing') : v('search.do')}
        </button>
      </form>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={found()}>{(told) => <Told told={told()} known={props.known} />}</Show>
    </section>
  );
}

function hitsText({ hits }: PlacedSearchView): string {
  if (hits.length === 0) return v('search.none');
  return hits.length === 1 ? v('search.hitsOne') : v('search.hits', { count: count(hits.length) });
}

function Told(props: { readonly told: PlacedSearchView; readonly known: string | null }) {
  return (
    <>
      <h3>{hitsText(props.told)}</h3>
      <ol class="placed-hits">
        <For each={props.told.hits}>
          {(hit) => (
            <li class="placed-hit">
              <p class="placed-hit-head">
                <bdi class="name">{headingsOf(hit.title)[0]}</bdi>
                <span class="figures score">{v('search.score', { score: fraction(hit.score) })}</span>
              </p>
              <p class="more">
                <bdi dir="ltr">{hit.path}</bdi>
                <Show when={placeWords(hit.place)}>{(where) => <>, {where()}</>}</Show>
              </p>
              <p class="passage" dir="auto">
                {hit.text.length > SHOWN ? `${hit.text.slice(0, SHOWN).toWellFormed()}…` : hit.text}
              </p>
            </li>
          )}
        </For>
      </ol>
      <div class="cost">
        <section>
          <h3>{v('search.took')}</h3>
          <dl class="facts-list figures">
            <For each={STEPS.filter((step) => props.told.times[step] !== undefined)}>
              {(step) => (
                <div>
                  <dt>{v(`search.times.${step}`)}</dt>
                  <dd>{duration(props.told.times[step])}</dd>
                </div>
              )}
            </For>
            <div>
              <dt>{v('search.up')}</dt>
              <dd>{size(props.told.bytesUp)}</dd>
            </div>
            <div>
              <dt>
                {v('search.down')} <span class="aside">({v('search.together')})</span>
              </dt>
              <dd>{size(props.told.bytesDown)}</dd>
            </div>
          </dl>
        </section>
        <section>
          <h3>{v('search.learned')}</h3>
          <ul class="learned">
            <For each={props.told.learned}>{(sentence) => <li dir="auto">{sentence}</li>}</For>
          </ul>
        </section>
      </div>
      <Show when={props.told.warning !== props.known && props.told.warning}>
        {(warning) => (
          <p class="warning" dir="auto">
            {warning()}
          </p>
        )}
      </Show>
    </>
  );
}
