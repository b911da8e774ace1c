/**
 * The documents of a knowledge base: read one, or take it out.
 *
 * @module web/pages/knowledge/documents
 */
import Trash from 'lucide-solid/icons/trash';
import { createEffect, createSignal, For, on, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { openPanel } from '../../app/ui.ts';
import { Confirm } from '../../base/confirm.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import { count, moment, size } from '../../i18n/index.ts';
import { type DocumentView, documents, removeDocument } from './desk.ts';
import type { Kb } from './kb-state.ts';
import { More } from './more.tsx';
import { NothingYet } from './nothing-yet.tsx';
import { k } from './words/index.ts';

const PAGE = 100;

const noteWords = {
  needs_ocr: () => k('documents.noteOcr'),
  cut: () => k('documents.noteCut'),
  part_failed: () => k('documents.notePart'),
  encoding_guessed: () => k('documents.noteGuessed'),
} as const;

export function DocumentsView(props: { readonly kb: Kb }) {
  const { name, state } = props.kb;
  const [shown, setShown] = createSignal<readonly DocumentView[] | null>(null);
  const [whole, setWhole] = createSignal(false);
  const [removing, setRemoving] = createSignal<DocumentView | null>(null);
  const deed = createDeed();
  const read = (wanted: number, after?: string) =>
    deed.run(async () => {
      const told = (await documents(name, after, wanted)).documents;
      setShown((now) => (after === undefined ? told : [...(now ?? []), ...told]));
      setWhole(told.length < wanted);
    });
  createEffect(
    on(
      () => state.changes,
      () => void read(Math.min(1000, Math.max(PAGE, shown()?.length ?? 0))),
    ),
  );
  const isFollowed = (path: string) =>
    state.view?.contents?.folders.some(({ under }) => path.startsWith(under)) ?? false;
  const open = (document: DocumentView) =>
    openPanel({
      ...{ kind: 'source', kb: name, path: document.path, chunk: null, sentence: null },
      stems: new Set<string>(),
    });
  return (
    <section aria-label={k('documents.title')}>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={shown()}>
        {(all) => (
          <Show
            when={all().length > 0}
            fallback={<NothingYet kb={name} what={k('documents.none')} more={k('documents.noneMore')} />}
          >
            <div class="table-box">
              <table class="figure-table documents">
                <thead>
                  <tr>
                    <th scope="col">{k('documents.document')}</th>
                    <th scope="col">{k('documents.type')}</th>
                    <th scope="col">{k('documents.passages')}</th>
                    <th scope="col">{k('documents.changed')}</th>
                    <td />
                  </tr>
                </thead>
                <tbody>
                  <For each={all()}>
                    {(document) => (
                      <Row
                        document={document}
                        open={() => open(document)}
                        remove={() => setRemoving(document)}
                      />
                    )}
                  </For>
                </tbody>
              </table>
            </div>
            <Show when={!whole()}>
              <More busy={deed.busy()} read={() => void read(PAGE, all().at(-1)!.path)} />
            </Show>
          </Show>
        )}
      </Show>
      <Show when={removing()}>
        {(document) => (
          <Confirm
            title={k('documents.removeTitle')}
            act={k('documents.removeDo')}
            close={() => setRemoving(null)}
            run={async () => {
              await removeDocument(name, document().path);
              announce(k('documents.removed', { path: document().path }));
              await props.kb.refresh();
            }}
          >
            <p class="breaking">
              {k('documents.removeMore', { path: document().path, passages: count(document().chunks) })}
            </p>
            <Show when={isFollowed(document().path)}>
              <p class="note mild">{k('documents.removeFollowed')}</p>
            </Show>
          </Confirm>
        )}
      </Show>
    </section>
  );
}

function Row(props: {
  readonly document: DocumentView;
  readonly open: () => void;
  readonly remove: () => void;
}) {
  const one = () => props.document;
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="hit-title"
          onClick={props.open}
          title={k('documents.read', { title: one().title })}
        >
          <bdi>{one().title}</bdi>
        </button>
        <span class="more">
          <bdi dir="ltr">{one().path}</bdi>
        </span>
        <span class="more in-narrow">
          {one().type}, {size(one().bytes)}, {moment(one().modified)}
        </span>
        <Show when={one().tags.length > 0}>
          <span class="more tags">
            <span class="unseen">{k('documents.tags')}: </span>
            <For each={one().tags.slice(0, 8)}>{(tag) => <bdi class="tag">#{tag}</bdi>}</For>
          </span>
        </Show>
        <For each={one().notes}>
          {(note) => (
            <span class="more bad" title={note.message}>
              {noteWords[note.code]()}
            </span>
          )}
        </For>
      </th>
      <td>
        {one().type}
        <span class="more">{size(one().bytes)}</span>
      </td>
      <td>
        {count(one().chunks)}
        <Show when={one().pages}>
          {(pages) => <span class="more">{k('documents.pages', { count: count(pages()) })}</span>}
        </Show>
      </td>
      <td>
        <bdi>{moment(one().modified)}</bdi>
      </td>
      <td class="end">
        <IconButton label={k('documents.remove', { path: one().path })} onClick={props.remove}>
          <Trash size={16} aria-hidden="true" />
        </IconButton>
      </td>
    </tr>
  );
}
