/**
 * All conversations of this browser: find, name, save, delete.
 *
 * @module web/pages/conversations
 */
import { useNavigate } from '@solidjs/router';
import FileBraces from 'lucide-solid/icons/file-braces';
import FileText from 'lucide-solid/icons/file-text';
import Pencil from 'lucide-solid/icons/pencil';
import Search from 'lucide-solid/icons/search';
import Trash from 'lucide-solid/icons/trash';
import { createEffect, createMemo, createSignal, For, on, onCleanup, Show } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { removeConversation, saveJson, saveMarkdown } from '../../app/commands.ts';
import { conversationPath, paths } from '../../app/pages.ts';
import { Dialog } from '../../base/dialog.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import type { Conversation } from '../../data/archive.ts';
import { conversations, removeAll, rename, search } from '../../data/conversations.ts';
import { count, moment, t } from '../../i18n/index.ts';
import '../pages.css';

/** Typing pauses this long (ms) before the texts are read through. */
const pauseMs = 150;

export default function ConversationsPage() {
  const [query, setQuery] = createSignal('');
  const [hits, setHits] = createSignal<ReadonlySet<string> | null>(null);
  const [asking, setAsking] = createSignal(false);
  const all = () => conversations() ?? [];
  const words = createMemo(() => query().toLocaleLowerCase().split(/\s+/).filter(Boolean));
  createEffect(() => {
    document.title = `${t('pages.conversations')} · Kith`;
  });
  createEffect(
    on(words, (wanted) => {
      if (wanted.length === 0) return setHits(null);
      let stale = false;
      const timer = setTimeout(async () => {
        const found = await search(wanted);
        if (!stale) setHits(found);
      }, pauseMs);
      onCleanup(() => {
        stale = true;
        clearTimeout(timer);
      });
    }),
  );
  const shown = createMemo(() => {
    const found = hits();
    if (words().length === 0 || found === null) return all();
    return all().filter(
      ({ id, title }) => found.has(id) || words().every((word) => title.toLocaleLowerCase().includes(word)),
    );
  });
  const lede = () => {
    if (all().length === 0) return t('conversations.ledeNone');
    return all().length === 1
      ? t('conversations.ledeOne')
      : t('conversations.lede', { count: count(all().length) });
  };
  return (
    <div class="page">
      <Banner />
      <div class="page-body narrow">
        <h1 class="lede">{lede()}</h1>
        <Show
          when={all().length > 0}
          fallback={
            <div class="nothing">
              <p>{t('conversations.none')}</p>
              <a class="button strong" href={paths.start}>
                {t('conversations.begin')}
              </a>
            </div>
          }
        >
          <div class="finder">
            <Search size={17} aria-hidden="true" />
            <input
              type="search"
              aria-label={t('conversations.search')}
              placeholder={t('conversations.search')}
              dir="auto"
              value={query()}
              onInput={(event) => setQuery(event.currentTarget.value)}
            />
          </div>
          <ul class="talks" aria-label={t('conversations.list')}>
            <For each={shown()}>{(one) => <Row one={one} />}</For>
          </ul>
          <Show when={shown().length === 0}>
            <p class="nothing" role="status">
              {t('conversations.noHits')}
            </p>
          </Show>
          <div class="page-acts">
            <button type="button" class="button" onClick={() => void saveJson(all().map(({ id }) => id))}>
              {t('conversations.saveAll')}
            </button>
            <button type="button" class="button danger" onClick={() => setAsking(true)}>
              {t('conversations.removeAll')}
            </button>
          </div>
        </Show>
      </div>
      <Show when={asking()}>
        <Dialog title={t('conversations.removeAllTitle')} close={() => setAsking(false)}>
          <p>{t('conversations.removeAllMore', { count: count(all().length) })}</p>
          <footer>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              {t('app.cancel')}
            </button>
            <button
              type="button"
              class="button danger"
              onClick={() => {
                setAsking(false);
                void removeAll();
              }}
            >
              {t('conversations.removeAll')}
            </button>
          </footer>
        </Dialog>
      </Show>
    </div>
  );
}

function Row(props: { readonly one: Conversation }) {
  const go = useNavigate();
  const [editing, setEditing] = createSignal(false);
  const title = () => props.one.title;
  const done = (value: string) => {
    setEditing(false);
    void rename(props.one.id, value);
  };
  return (
    <li class="talk">
      <Show
        when={editing()}
        fallback={
          <a href={conversationPath(props.one.id)}>
            <span class="name">
              <bdi>{title()}</bdi>
            </span>
            <bdi class="when">{moment(props.one.updated)}</bdi>
          </a>
        }
      >
        <input
          ref={(field) => queueMicrotask(() => field.select())}
          class="input"
          dir="auto"
          aria-label={t('chat.renameLabel')}
          maxlength="200"
          value={title()}
          onKeyDown={(event) => {
            if (event.isComposing || event.keyCode === 229) return;
            if (event.key === 'Enter') done(event.currentTarget.value);
            else if (event.key === 'Escape') setEditing(false);
          }}
          onBlur={(event) => editing() && done(event.currentTarget.value)}
        />
      </Show>
      <div class="acts">
        <IconButton label={t('conversations.renameOf', { title: title() })} onClick={() => setEditing(true)}>
          <Pencil size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={t('conversations.saveMarkdown', { title: title() })}
          onClick={() => void saveMarkdown(props.one.id)}
        >
          <FileText size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={t('conversations.saveJson', { title: title() })}
          onClick={() => void saveJson([props.one.id])}
        >
          <FileBraces size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={t('conversations.removeOf', { title: title() })}
          onClick={() => void removeConversation(props.one.id, go)}
        >
          <Trash size={16} aria-hidden="true" />
        </IconButton>
      </div>
    </li>
  );
}
