/**
 * One question to a knowledge base and its answer: sentences with their sources, what is not supported, and who wrote it.
 *
 * @module web/pages/knowledge/ask/answer-turn
 */
import RotateCw from 'lucide-solid/icons/rotate-cw';
import { createMemo, createUniqueId, For, Match, Show, Switch } from 'solid-js';
import { openPanel, panel } from '../../../app/ui.ts';
import { Copy } from '../../../base/copy.tsx';
import { ErrorNote } from '../../../base/error-note.tsx';
import { IconButton } from '../../../base/icon-button.tsx';
import { SheetGlyph } from '../../../base/icons.tsx';
import { age, count } from '../../../i18n/index.ts';
import { placeWords } from '../places.ts';
import { stemsOf } from '../search/highlight.ts';
import { Steps } from '../search/steps.tsx';
import { k } from '../words/index.ts';
import {
  type Answer,
  type Citation,
  type Source,
  sortedSources,
  textOf,
  type WriterNote,
} from './answer-state.ts';
import { AnswerText } from './answer-text.tsx';
import type { Turn } from './asking.ts';

interface Props {
  readonly kb: string;
  readonly turn: Turn;
  readonly last: boolean;
  readonly again: () => void;
}

export function AnswerTurn(props: Props) {
  const id = createUniqueId();
  const answer = () => props.turn.answer;
  const running = () => answer().state === 'waiting' || answer().state === 'writing';
  const stems = createMemo(() => stemsOf(answer().looked?.question ?? props.turn.question));
  const open = (source: Source, citation: Citation | null) =>
    openPanel({
      ...{ kind: 'source', kb: props.kb, path: source.path, stems: stems() },
      ...{ chunk: citation?.chunk ?? source.chunks[0] ?? null, sentence: citation?.sentence ?? null },
    });
  const isRefused = () => answer().finish?.outcome === 'refused';
  return (
    <article
      class="asked"
      classList={{ live: running() }}
      aria-labelledby={id}
      data-turn=""
      data-state={answer().state}
      tabindex="-1"
    >
      <div class="question">
        <h2 id={id} dir="auto">
          {props.turn.question}
        </h2>
      </div>
      <div class="body" aria-live="off">
        <Show when={answer().looked?.rewrittenBy}>
          <p class="aside rewritten" dir="auto">
            {k('ask.rewritten', { question: answer().looked!.question })}
          </p>
        </Show>
        <Show when={!isRefused()} fallback={<Refusal answer={answer()} />}>
          <AnswerText answer={answer()} open={open} />
        </Show>
        <Show when={answer().state === 'waiting'}>
          <p class="waiting">
            <span class="dot live" />
            {k('ask.waiting')}
          </p>
        </Show>
        <Show when={answer().fault}>
          {(fault) => (
            <ErrorNote fault={fault()}>
              <Show when={props.last}>
                <button type="button" class="button" onClick={props.again}>
                  <RotateCw size={15} aria-hidden="true" />
                  {k('ask.again')}
                </button>
              </Show>
            </ErrorNote>
          )}
        </Show>
        <Show when={!running() && answer().sources.length > 0}>
          <Sources answer={answer()} open={open} />
        </Show>
        <Show when={!running() && answer().fault === null}>
          <div class="receipt-row">
            <Who answer={answer()} />
            <div class="acts">
              <Show when={textOf(answer()) !== ''}>
                <Copy text={() => textOf(answer())} label={k('ask.copy')} />
              </Show>
              <Show when={props.last}>
                <IconButton label={k('ask.again')} onClick={props.again}>
                  <RotateCw size={17} aria-hidden="true" />
                </IconButton>
              </Show>
            </div>
          </div>
          <Notes answer={answer()} />
          <Steps steps={answer().looked?.steps ?? []} />
        </Show>
      </div>
    </article>
  );
}

function Refusal(props: { readonly answer: Answer }) {
  const missing = () => props.answer.looked?.support.missing ?? [];
  return (
    <div class="refusal">
      <p class="refusal-what">{k('ask.refused')}</p>
      <Show
        when={missing().length > 0}
        fallback={
          <Show when={props.answer.finish?.reason}>
            {(why) => <p dir="auto">{k('ask.refusedWhy', { why: why() })}</p>}
          </Show>
        }
      >
        <p dir="auto">
          {k('ask.refusedWords', {
            words: missing()
              .map((word) => k('ask.refusedWord', { word }))
              .join(', '),
          })}
        </p>
      </Show>
      <p class="aside">{k('ask.refusedMore')}</p>
    </div>
  );
}

type Open = (source: Source, citation: Citation | null) => void;

function Sources(props: { readonly answer: Answer; readonly open: Open }) {
  const id = createUniqueId();
  const sorted = createMemo(() => sortedSources(props.answer));
  const cited = () => sorted().cited;
  const others = () => sorted().others;
  return (
    <div class="sources">
      <Show when={cited().length > 0}>
        <h3 id={id}>{k('ask.sources')}</h3>
        <ol aria-labelledby={id}>
          <For each={cited()}>{(source) => <SourceRow source={source} {...props} />}</For>
        </ol>
      </Show>
      <Show when={others().length > 0}>
        <details open={cited().length === 0}>
          <summary>
            {cited().length === 0
              ? k('ask.nearest')
              : others().length === 1
                ? k('ask.othersOne')
                : k('ask.others', { count: count(others().length) })}
          </summary>
          <ol>
            <For each={others()}>{(source) => <SourceRow source={source} {...props} />}</For>
          </ol>
        </details>
      </Show>
    </div>
  );
}

function SourceRow(props: { readonly source: Source; readonly answer: Answer; readonly open: Open }) {
  const citation = () =>
    props.answer.units.flatMap(({ citations }) => citations).find(({ n }) => n === props.source.n) ?? null;
  const isOpen = () => {
    const shown = panel();
    return shown?.kind === 'source' && props.source.chunks.includes(shown.chunk ?? '');
  };
  return (
    <li classList={{ open: isOpen() }}>
      <button type="button" class="source-row" onClick={() => props.open(props.source, citation())}>
        <span class="cite-number figures" aria-hidden="true">
          {props.source.n}
        </span>
        <span class="source-name">
          <bdi>{props.source.title.split(' › ')[0]}</bdi>
          <span class="more">
            <bdi dir="ltr">{props.source.path}</bdi>
            <Show when={placeWords(props.source.place)}>{(place) => <>, {place()}</>}</Show>
          </span>
        </span>
      </button>
    </li>
  );
}

function written(writer: WriterNote | undefined): string {
  if (writer === undefined || writer.where === null) return k('ask.writtenBare');
  return k('ask.written', { model: writer.model, where: k(`ask.wrote.${writer.where}`) });
}

function Who(props: { readonly answer: Answer }) {
  const finish = () => props.answer.finish;
  const figures = () => finish()?.figures;
  const writer = () => props.answer.writers.findLast(({ task }) => task === 'answer');
  return (
    <p class="who">
      <Switch>
        <Match when={props.answer.state === 'stopped'}>{k('ask.stopped')}</Match>
        <Match when={finish()?.outcome === 'extracted'}>
          <SheetGlyph />
          <span>{k('ask.extracted')}</span>
        </Match>
        <Match when={finish()?.outcome === 'written'}>
          <SheetGlyph />
          <span>
            {written(writer())}{' '}
            {k('ask.supported', {
              count: count(figures()!.verified),
              all: count(figures()!.sentences - figures()!.leftOut),
            })}
          </span>
        </Match>
      </Switch>
      <Show when={finish()?.cached}>
        {(cached) => <span class="cached">{k('ask.cached', { age: age(cached().ageMs) })}</span>}
      </Show>
    </p>
  );
}

function Notes(props: { readonly answer: Answer }) {
  const leftOut = () => props.answer.leftOut;
  const told = () => props.answer.warnings.filter(({ code }) => code !== 'sentence_unsupported');
  return (
    <>
      <Show when={leftOut().length > 0}>
        <details class="notes">
          <summary>
            {leftOut().length === 1
              ? k('ask.leftOutOne')
              : k('ask.leftOut', { count: count(leftOut().length) })}
          </summary>
          <ul>
            <For each={leftOut()}>
              {(sentence) => (
                <li dir="auto">
                  {sentence.text}
                  <span class="more">
                    {sentence.missing.map(({ kind, what }) => k(`ask.missing.${kind}`, { what })).join('; ')}
                  </span>
                </li>
              )}
            </For>
          </ul>
        </details>
      </Show>
      <Show when={told().length > 0}>
        <details class="notes">
          <summary>{k('ask.notes')}</summary>
          <ul>
            <For each={told()}>{(warning) => <li dir="auto">{warning.message}</li>}</For>
          </ul>
        </details>
      </Show>
    </>
  );
}
