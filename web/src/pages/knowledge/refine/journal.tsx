/**
 * What a dream did, thing by thing, with the sentence that says so.
 *
 * @module web/pages/knowledge/refine/journal
 */
import { createEffect, createSignal, For, on, Show } from 'solid-js';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { type DreamEntry, journal } from './desk.ts';
import { r } from './words.ts';

const PAGE = 50;

/** A passage that was read has a number and no name. */
const wordsOf = ({ kind, what, value }: DreamEntry): string => (kind === 'read' ? value : `${what} ${value}`);

export function Journal(props: { readonly kb: string; readonly run: number; readonly changes: string }) {
  const [entries, setEntries] = createSignal<readonly DreamEntry[] | null>(null);
  const [next, setNext] = createSignal<number | null>(null);
  const deed = createDeed();
  const read = (after: number) =>
    deed.run(async () => {
      const told = await journal(props.kb, props.run, after, PAGE);
      setEntries((now) => (after === 0 ? told.entries : [...(now ?? []), ...told.entries]));
      setNext(told.next);
    });
  createEffect(
    on(
      () => props.changes,
      () => void read(0),
    ),
  );
  return (
    <div class="journal">
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={entries()?.length === 0}>
        <p class="aside">{r('journalNone')}</p>
      </Show>
      <ul>
        <For each={entries() ?? []}>
          {(entry) => (
            <li classList={{ gone: !entry.holds }}>
              <p>
                <Show when={entry.kind !== 'said'}>
                  <span class="reason">{r(`kinds.${entry.kind as 'merged' | 'read'}`)}</span>{' '}
                </Show>
                <Show when={entry.kind !== 'read'}>
                  <bdi class="subject">{entry.subject}</bdi>{' '}
                </Show>
                <bdi>{wordsOf(entry)}</bdi>{' '}
                <span class="aside">
                  {r(`saidBy.${entry.by}`)}
                  <Show when={!entry.holds}>, {r('gone')}</Show>
                </span>
              </p>
              <Show when={entry.sentence}>
                {(sentence) => <blockquote dir="auto">{sentence()}</blockquote>}
              </Show>
              <Show when={entry.sentence === null && entry.why !== ''}>
                <p class="more" dir="auto">
                  {entry.why}
                </p>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={next()}>
        {(after) => (
          <button type="button" class="button" disabled={deed.busy()} onClick={() => void read(after())}>
            {r('more')}
          </button>
        )}
      </Show>
    </div>
  );
}
