/**
 * A conversation, or the start of one.
 *
 * @module web/chat/chat-page
 */
import { useNavigate, useParams } from '@solidjs/router';
import PanelRight from 'lucide-solid/icons/panel-right';
import Plus from 'lucide-solid/icons/plus';
import Settings2 from 'lucide-solid/icons/settings-2';
import { createEffect, createResource, createSignal, on, onCleanup, Show, untrack } from 'solid-js';
import { announce, announceAnswer } from '../app/announce.tsx';
import { Banner } from '../app/banner.tsx';
import { conversationPath, paths } from '../app/pages.ts';
import { closePanel, offerUndo, openPanel, panel, setLastOpen } from '../app/ui.ts';
import { IconButton } from '../base/icon-button.tsx';
import { answeringTurn, ask, onEnding, stop } from '../data/answering.ts';
import {
  beginConversation,
  closeThread,
  conversation,
  keepSettings,
  maxTurns,
  newTurn,
  openThread,
  remove,
  rename,
  restore,
  turnsOf,
} from '../data/conversations.ts';
import { type AnswerSettings, prefer, preferences } from '../data/preferences.ts';
import { count, t } from '../i18n/index.ts';
import { Composer } from './composer.tsx';
import { Hello } from './hello.tsx';
import { ModelPicker } from './model-picker.tsx';
import { Preparing } from './preparing.tsx';
import { loadRenderer } from './stream-text.tsx';
import { Thread } from './thread.tsx';

/** Screen readers hear this often (ms) that an answer is still being written. */
const stillMs = 7_000;
/** After the first paint (ms). */
const warmMs = 300;

export function ChatPage() {
  const params = useParams<{ id?: string }>();
  return (
    <Show when={params.id ?? 'new'} keyed>
      {(id) => <Talk id={id} />}
    </Show>
  );
}

export function settingsOf(id: string | null): AnswerSettings {
  return (id === null ? undefined : conversation(id)?.settings) ?? preferences.settings;
}

export function changeSettings(id: string | null, settings: AnswerSettings): void {
  prefer({ settings: { ...settings } });
  if (id !== null && conversation(id)) void keepSettings(id, settings);
}

/** The renderer comes when the page has nothing better to do. */
function warm(): Promise<boolean> {
  setTimeout(() => void loadRenderer(), warmMs);
  return Promise.resolve(true);
}

function Talk(props: { readonly id: string }) {
  const go = useNavigate();
  const id = untrack(() => props.id);
  const fresh = id === 'new';
  const [found] = createResource(() =>
    fresh ? warm() : Promise.all([openThread(id), loadRenderer()]).then(([known]) => known),
  );
  const [dock, setDock] = createSignal<HTMLDivElement>();
  const key = fresh ? null : id;
  setLastOpen(key);
  const answering = () => key !== null && answeringTurn(key) !== null;
  const turns = () => (key === null ? [] : (turnsOf(key) ?? []));
  onCleanup(() => {
    closePanel();
    if (key !== null) closeThread(key);
  });
  createEffect(() => {
    const name = key === null ? undefined : conversation(key)?.title;
    document.title = name === undefined ? 'Kith' : `${name} · Kith`;
  });
  createEffect(
    on(answering, (now) => {
      if (!now) return;
      const timer = setInterval(() => announce(t('live.still')), stillMs);
      onCleanup(() => clearInterval(timer));
    }),
  );
  onCleanup(
    onEnding(({ conversation: of, turn }) => {
      const answer = of === key ? turns().find((one) => one.id === turn)?.answer : undefined;
      if (answer?.state === 'done') {
        announce(t('live.ready'));
        announceAnswer(answer.text);
      } else if (answer?.state === 'stopped') announce(t('live.stopped'));
    }),
  );

  const send = (question: string) => {
    if (key !== null) {
      void ask(key, newTurn(question));
      return;
    }
    const begun = beginConversation(question, preferences.settings);
    const { dropped } = begun;
    if (dropped) {
      void remove(dropped.id).then((gone) => {
        if (gone) offerUndo(t('chat.dropped', { title: dropped.title }), () => void restore(gone));
      });
    }
    go(conversationPath(begun.id));
    void ask(begun.id, newTurn(question));
  };
  const closed = () =>
    turns().length >= maxTurns && !answering() ? t('chat.tooMany', { limit: count(maxTurns) }) : null;
  const composer = () => (
    <div class="dock" ref={setDock}>
      <Composer
        id={id}
        answering={answering()}
        closed={closed()}
        send={send}
        stop={() => key !== null && void stop(key)}
      />
    </div>
  );
  const togglePanel = (kind: 'receipt' | 'settings') => {
    if (panel()?.kind === kind) closePanel();
    else if (kind === 'settings') openPanel({ kind });
    else openPanel({ kind, turn: turns().at(-1)?.id ?? '' });
  };

  return (
    <div class="chat">
      <header class="head">
        <div class="title">
          <Show when={key !== null && conversation(key)}>
            {(one) => <Title id={one().id} title={one().title} />}
          </Show>
        </div>
        <ModelPicker
          value={settingsOf(key).model}
          choose={(model) => changeSettings(key, { ...settingsOf(key), model })}
        />
        <IconButton
          label={t('chat.settings')}
          aria-pressed={panel()?.kind === 'settings'}
          onClick={() => togglePanel('settings')}
        >
          <Settings2 size={18} aria-hidden="true" />
        </IconButton>
        <Show when={!fresh}>
          <IconButton
            label={t('chat.showPanel')}
            aria-pressed={panel()?.kind === 'receipt'}
            onClick={() => togglePanel('receipt')}
          >
            <PanelRight size={18} aria-hidden="true" />
          </IconButton>
          <a
            class="icon-button begin"
            href={paths.start}
            aria-label={t('rail.fresh')}
            title={t('rail.fresh')}
          >
            <Plus size={20} aria-hidden="true" />
          </a>
        </Show>
      </header>
      <Banner />
      <Show
        when={!fresh}
        fallback={
          <section class="scroller" tabindex="0" aria-label={t('rail.fresh')}>
            <Hello model={preferences.settings.model} send={send}>
              {composer()}
            </Hello>
          </section>
        }
      >
        <Show when={found() !== false} fallback={<Missing />}>
          <Show when={turns().length > 0 || !found.loading}>
            <Thread id={id} dock={dock()} />
            <div class="dock-row">
              <Preparing />
              {composer()}
            </div>
          </Show>
        </Show>
      </Show>
    </div>
  );
}

function Missing() {
  return (
    <section class="empty">
      <h1>{t('chat.missing')}</h1>
      <p>{t('chat.missingMore')}</p>
      <a class="button" href={paths.start}>
        {t('rail.fresh')}
      </a>
    </section>
  );
}

function Title(props: { readonly id: string; readonly title: string }) {
  const [editing, setEditing] = createSignal(false);
  const done = (value: string) => {
    setEditing(false);
    void rename(props.id, value);
  };
  return (
    <Show
      when={editing()}
      fallback={
        <h1 dir="auto">
          <button type="button" class="title-edit" title={t('chat.rename')} onClick={() => setEditing(true)}>
            {props.title}
          </button>
        </h1>
      }
    >
      <input
        ref={(field) => queueMicrotask(() => field.select())}
        class="title-edit"
        dir="auto"
        aria-label={t('chat.renameLabel')}
        maxlength="200"
        value={props.title}
        onKeyDown={(event) => {
          if (event.isComposing || event.keyCode === 229) return;
          if (event.key === 'Enter') done(event.currentTarget.value);
          else if (event.key === 'Escape') setEditing(false);
          else return;
          event.preventDefault();
        }}
        onBlur={(event) => editing() && done(event.currentTarget.value)}
      />
    </Show>
  );
}
