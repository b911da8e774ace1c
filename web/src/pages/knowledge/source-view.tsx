/**
 * A source beside the page: the passage with what is cited or was looked for marked, and what stands before and after it.
 *
 * @module web/pages/knowledge/source-view
 */
import { createEffect, createMemo, createSignal, For, on, Show } from 'solid-js';
import type { Panel } from '../../app/ui.ts';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { around, type ChunkView, type DocumentView, passages } from './desk.ts';
import { headingsOf, placeWords } from './places.ts';
import { markSentence } from './search/highlight.ts';
import { Pieces } from './search/hit.tsx';
import { type Original, WithOriginal } from './source/original.tsx';
import type { Shown } from './source/pdf-pages.tsx';
import { k } from './words/index.ts';
import './knowledge.css';
import './source/source.css';

type SourcePanel = Extract<Panel, { readonly kind: 'source' }>;

/** Passages around it at first, and that each step gives. */
const AROUND = 2;
const STEP = 6;

export default function SourceView(props: { readonly panel: SourcePanel }) {
  const [document, setDocument] = createSignal<DocumentView | null>(null);
  const [shown, setShown] = createSignal<readonly ChunkView[]>([]);
  const [original, setOriginal] = createSignal<Original | null>(null);
  const deed = createDeed();
  let body!: HTMLDivElement;
  /** Moves the panel alone: the browser's own way would move the whole page with it. */
  const toPassage = () => {
    const area = body.closest('.panel');
    const target = body.querySelector('mark.cited') ?? body.querySelector('.here');
    if (area === null || target === null) return;
    const { top } = target.getBoundingClientRect();
    area.scrollTop += top - area.getBoundingClientRect().top - area.clientHeight / 3;
  };
  createEffect(
    on(
      () => props.panel,
      ({ kb, path, chunk }) => {
        setShown([]);
        setDocument(null);
        void deed.run(async () => {
          const told =
            chunk === null ? await passages(kb, path, 0, STEP) : await around(kb, path, chunk, AROUND);
          if (props.panel.path !== path || props.panel.chunk !== chunk) return;
          setOriginal(told.original);
          setDocument(told.document);
          setShown(told.passages);
          queueMicrotask(toPassage);
        });
      },
    ),
  );
  const first = () => shown()[0]?.position ?? 0;
  const last = () => shown().at(-1)?.position ?? -1;
  const more = (from: number, limit: number, before: boolean) =>
    deed.run(async () => {
      const { kb, path } = props.panel;
      const told = await passages(kb, path, from, limit);
      if (props.panel.path !== path) return;
      setShown((now) => (before ? [...told.passages, ...now] : [...now, ...told.passages]));
    });
  const here = (chunk: ChunkView) => chunk.id === props.panel.chunk;
  const marked = (chunk: ChunkView) => markSentence(chunk.text, props.panel.sentence);
  const place = createMemo((): Shown => {
    const own = shown().find(here);
    return {
      title: document()?.title ?? '',
      page: own?.place.page ?? 1,
      ...{ sentence: props.panel.sentence, stems: props.panel.stems, passage: own?.text ?? null },
    };
  });
  const heading = (index: number) => {
    const title = headingsOf(shown()[index]!.title).slice(1).join(' › ');
    return index > 0 &&
      headingsOf(shown()[index - 1]!.title)
        .slice(1)
        .join(' › ') === title
      ? ''
      : title;
  };
  return (
    <div class="source knowledge" ref={body}>
      <p class="source-title" dir="auto">
        {document()?.title ?? ''}
      </p>
      <p class="hit-path">
        <bdi dir="ltr">{props.panel.path}</bdi>
      </p>
      <Show when={props.panel.sentence !== null && shown().length > 0}>
        <p class="aside">{k('source.cited')}</p>
      </Show>
      <Show when={deed.fault()}>
        {(fault) => (
          <Show
            when={fault().code === 'passage_unknown' || fault().code === 'document_unknown'}
            fallback={<ErrorNote fault={fault()} />}
          >
            <p class="note mild" role="alert">
              {k('source.missing')}
            </p>
          </Show>
        )}
      </Show>
      <Show when={shown().length === 0 && deed.busy()}>
        <p class="aside">{k('source.reading')}</p>
      </Show>
      <Show when={shown().length > 0 && document()}>
        {(told) => (
          <WithOriginal kb={props.panel.kb} document={told()} original={original()!} shown={place()}>
            <Show when={first() > 0} fallback={<p class="edge-note">{k('source.beginning')}</p>}>
              <button
                type="button"
                class="text-button"
                disabled={deed.busy()}
                onClick={() => {
                  const from = Math.max(0, first() - STEP);
                  void more(from, first() - from, true);
                }}
              >
                {k('source.earlier')}
              </button>
            </Show>
            <ol class="reading" aria-label={k('source.passages', { title: document()?.title ?? '' })}>
              <For each={shown()}>
                {(chunk, index) => (
                  <li classList={{ here: here(chunk) }} aria-current={here(chunk) ? 'true' : undefined}>
                    <p class="reading-place figures">
                      <bdi>{heading(index())}</bdi>
                      <span>{placeWords(chunk.place)}</span>
                    </p>
                    <p class="passage" dir="auto">
                      <Show
                        when={here(chunk) && props.panel.sentence !== null}
                        fallback={<Pieces text={chunk.text} stems={props.panel.stems} />}
                      >
                        <For each={marked(chunk)}>
                          {(piece) => (piece.hit ? <mark class="cited">{piece.text}</mark> : piece.text)}
                        </For>
                      </Show>
                    </p>
                  </li>
                )}
              </For>
            </ol>
            <Show
              when={last() + 1 < (document()?.chunks ?? 0)}
              fallback={<p class="edge-note">{k('source.end')}</p>}
            >
              <button
                type="button"
                class="text-button"
                disabled={deed.busy()}
                onClick={() => void more(last() + 1, STEP, false)}
              >
                {k('source.later')}
              </button>
            </Show>
          </WithOriginal>
        )}
      </Show>
    </div>
  );
}
