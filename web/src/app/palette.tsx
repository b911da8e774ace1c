/**
 * The palette: find a conversation or do anything, by typing.
 *
 * @module web/app/palette
 */
import { useNavigate } from '@solidjs/router';
import CircleStop from 'lucide-solid/icons/circle-stop';
import Download from 'lucide-solid/icons/download';
import Gauge from 'lucide-solid/icons/gauge';
import Keyboard from 'lucide-solid/icons/keyboard';
import MessageCircle from 'lucide-solid/icons/message-circle';
import MessagesSquare from 'lucide-solid/icons/messages-square';
import Moon from 'lucide-solid/icons/moon';
import SlidersHorizontal from 'lucide-solid/icons/sliders-horizontal';
import Sun from 'lucide-solid/icons/sun';
import SunMoon from 'lucide-solid/icons/sun-moon';
import Trash from 'lucide-solid/icons/trash';
import { createEffect, createMemo, createSignal, For, onMount, Show } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { Dialog } from '../base/dialog.tsx';
import { conversations } from '../data/conversations.ts';
import { t } from '../i18n/index.ts';
import { commands } from './commands.ts';
import { conversationPath } from './pages.ts';
import { setDialogue } from './ui.ts';
import './palette.css';

const icons: Readonly<Record<string, typeof Sun>> = {
  new: MessageCircle,
  conversations: MessagesSquare,
  status: Gauge,
  stop: CircleStop,
  markdown: Download,
  json: Download,
  remove: Trash,
  light: Sun,
  dark: Moon,
  auto: SunMoon,
  preferences: SlidersHorizontal,
  keys: Keyboard,
};

interface Entry {
  readonly id: string;
  readonly group: 'goTo' | 'do' | 'conversations';
  readonly name: string;
  readonly keys: string | null;
  readonly run: () => void;
}

const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

export default function Palette(props: { readonly current: () => string | null }) {
  const go = useNavigate();
  const [query, setQuery] = createSignal('');
  const [at, setAt] = createSignal(0);
  let field!: HTMLInputElement;
  onMount(() => field.focus());
  const entries = createMemo((): Entry[] => {
    const words = fold(query()).split(/\s+/).filter(Boolean);
    const fits = (name: string) => words.every((word) => fold(name).includes(word));
    const does = commands(go, props.current)
      .map((one): Entry => ({ ...one, name: one.name() }))
      .filter(({ name }) => fits(name));
    const talks = (conversations() ?? [])
      .filter(({ title }) => fits(title))
      .slice(0, words.length === 0 ? 5 : 20)
      .map(
        (one): Entry => ({
          id: one.id,
          group: 'conversations',
          name: one.title,
          keys: null,
          run: () => go(conversationPath(one.id)),
        }),
      );
    // What one types is most often a conversation's name.
    return words.length === 0 ? [...does, ...talks] : [...talks, ...does];
  });
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    setDialogue(null);
    // The dialog gives the focus back when it closes; what the entry does comes after.
    queueMicrotask(entry.run);
  };
  const move = (to: number) => {
    const last = entries().length - 1;
    setAt(to < 0 ? last : to > last ? 0 : to);
    document.getElementById(`entry-${at()}`)?.scrollIntoView({ block: 'nearest' });
  };
  createEffect(() => {
    query();
    setAt(0);
  });
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(at() + 1),
      ArrowUp: () => move(at() - 1),
      Home: () => move(0),
      End: () => move(entries().length - 1),
      Enter: () => choose(entries()[at()]),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  };
  const groupStarts = (index: number) => entries()[index - 1]?.group !== entries()[index]?.group;
  return (
    <Dialog title={t('palette.label')} close={() => setDialogue(null)} class="palette" bare>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="entries"
        aria-activedescendant={entries().length > 0 ? `entry-${at()}` : undefined}
        aria-label={t('palette.label')}
        placeholder={t('palette.label')}
        autocomplete="off"
        spellcheck={false}
        dir="auto"
        value={query()}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <div id="entries" role="listbox" aria-label={t('palette.label')}>
        <For each={entries()}>
          {(entry, index) => (
            <>
              <Show when={groupStarts(index())}>
                <div class="group" role="presentation">
                  {t(`palette.${entry.group}`)}
                </div>
              </Show>
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled in the field, which keeps the focus */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: the field points at it with aria-activedescendant */}
              <div
                id={`entry-${index()}`}
                class="entry"
                role="option"
                tabindex="-1"
                aria-selected={at() === index()}
                onPointerMove={() => setAt(index())}
                onClick={() => choose(entry)}
              >
                <Dynamic component={icons[entry.id] ?? MessageCircle} size={17} aria-hidden="true" />
                <span class="name" dir="auto">
                  {entry.name}
                </span>
                <Show when={entry.keys}>
                  <kbd class="kbd">{entry.keys}</kbd>
                </Show>
              </div>
            </>
          )}
        </For>
      </div>
      <Show when={entries().length === 0}>
        <p class="nothing" role="status">
          {t('palette.none')}
        </p>
      </Show>
    </Dialog>
  );
}
