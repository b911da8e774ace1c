/**
 * The rail: pages, recent conversations, and this machine at its foot. On phones a bar of the pages.
 *
 * @module web/app/rail
 */
import { A, useLocation } from '@solidjs/router';
import BookOpen from 'lucide-solid/icons/book-open';
import Gauge from 'lucide-solid/icons/gauge';
import MessageCircle from 'lucide-solid/icons/message-circle';
import MessagesSquare from 'lucide-solid/icons/messages-square';
import Orbit from 'lucide-solid/icons/orbit';
import Plus from 'lucide-solid/icons/plus';
import Search from 'lucide-solid/icons/search';
import SlidersHorizontal from 'lucide-solid/icons/sliders-horizontal';
import Vault from 'lucide-solid/icons/vault';
import { createEffect, createMemo, For, on, Show } from 'solid-js';
import { IconButton } from '../base/icon-button.tsx';
import { Mark } from '../base/icons.tsx';
import { answeringAny } from '../data/answering.ts';
import { conversations } from '../data/conversations.ts';
import { node, rateOf } from '../data/node-state.ts';
import { count, rate, t } from '../i18n/index.ts';
import { announce } from './announce.tsx';
import { paletteKeys } from './keys.ts';
import { conversationPath, paths } from './pages.ts';
import { chatPath, isDrawer, setDialogue } from './ui.ts';

const recentCount = 30;

export function usePlace(): () => 'chat' | 'conversations' | 'knowledge' | 'network' | 'vault' | 'status' {
  const at = useLocation();
  return () => {
    if (at.pathname.startsWith(paths.conversations)) return 'conversations';
    if (at.pathname.startsWith(paths.knowledge)) return 'knowledge';
    if (at.pathname.startsWith(paths.network)) return 'network';
    if (at.pathname.startsWith(paths.vault)) return 'vault';
    return at.pathname.startsWith(paths.status) ? 'status' : 'chat';
  };
}

function Places() {
  const place = usePlace();
  const current = (name: string) => (place() === name ? 'page' : undefined);
  return (
    <>
      <a class="place" href={chatPath()} aria-current={current('chat')}>
        <MessageCircle size={17} aria-hidden="true" />
        <span>{t('pages.chat')}</span>
      </a>
      <a class="place" href={paths.conversations} aria-current={current('conversations')}>
        <MessagesSquare size={17} aria-hidden="true" />
        <span>{t('pages.conversations')}</span>
      </a>
      <a class="place" href={paths.knowledge} aria-current={current('knowledge')}>
        <BookOpen size={17} aria-hidden="true" />
        <span>{t('pages.knowledge')}</span>
      </a>
      <a class="place" href={paths.network} aria-current={current('network')}>
        <Orbit size={17} aria-hidden="true" />
        <span>{t('pages.network')}</span>
        <Show when={node.health?.swarm.unread}>
          {(unread) => <span class="tally">{t('network.unread', { count: count(unread()) })}</span>}
        </Show>
      </a>
      <a class="place" href={paths.vault} aria-current={current('vault')}>
        <Vault size={17} aria-hidden="true" />
        <span>{t('pages.vault')}</span>
      </a>
      <a class="place" href={paths.status} aria-current={current('status')}>
        <Gauge size={17} aria-hidden="true" />
        <span>{t('pages.status')}</span>
      </a>
      <button type="button" class="place apart" onClick={() => setDialogue('preferences')}>
        <SlidersHorizontal size={17} aria-hidden="true" />
        <span>{t('pages.preferences')}</span>
      </button>
    </>
  );
}

/** Says to who does not see the tally that a message came. */
function tellMessages(): void {
  createEffect(
    on(
      () => node.health?.swarm.unread,
      (unread, before) => {
        if (unread !== undefined && before !== undefined && unread > before)
          announce(t('network.came', { count: count(unread) }));
      },
    ),
  );
}

export function Rail() {
  const at = useLocation();
  tellMessages();
  return (
    <nav class="rail" aria-label={t('app.pages')} data-area="rail" tabindex="-1" inert={isDrawer()}>
      <div class="brand">
        <a href={paths.start} aria-label="Kith">
          <Mark size={24} />
          <span>Kith</span>
        </a>
      </div>
      <button type="button" class="find" onClick={() => setDialogue('palette')}>
        <Search size={16} aria-hidden="true" />
        <span class="grow">{t('app.find')}</span>
        <kbd class="kbd">{paletteKeys}</kbd>
      </button>
      <div class="places">
        <Places />
      </div>
      <div class="recent">
        <Show when={conversations()?.length}>
          <div class="recent-head">
            <h2>{t('rail.recent')}</h2>
            <IconButton
              label={t('rail.fresh')}
              onClick={() => document.querySelector<HTMLElement>('.brand a')?.click()}
            >
              <Plus size={16} aria-hidden="true" />
            </IconButton>
          </div>
        </Show>
        <ul>
          <For each={conversations()?.slice(0, recentCount)}>
            {(one) => (
              <li>
                <a
                  href={conversationPath(one.id)}
                  title={one.title}
                  aria-current={at.pathname === conversationPath(one.id) ? 'page' : undefined}
                >
                  <bdi>{one.title}</bdi>
                </a>
              </li>
            )}
          </For>
          <Show when={(conversations()?.length ?? 0) > recentCount}>
            <li>
              <a class="all" href={paths.conversations}>
                {t('rail.all')}
              </a>
            </li>
          </Show>
        </ul>
      </div>
      <div class="foot">
        <Machine />
      </div>
    </nav>
  );
}

export type MachineState =
  | 'answering'
  | 'ready'
  | 'starting'
  | 'degraded'
  | 'stopping'
  | 'down'
  | 'denied'
  | 'connecting'
  | 'hidden';

export function machineState(): MachineState {
  if (node.link !== 'up') return node.link;
  const { health } = node;
  if (health === null) return 'connecting';
  if (health.status !== 'ok') return health.status;
  const busy = answeringAny() || health.models.some((model) => (model.active ?? 0) > 0);
  return busy ? 'answering' : 'ready';
}

export const dotClass = (state: MachineState): string =>
  ({
    answering: 'dot live',
    starting: 'dot live',
    ready: 'dot ready',
    degraded: 'dot warn',
    stopping: 'dot warn',
    down: 'dot failed',
    denied: 'dot failed',
    connecting: 'dot',
    hidden: 'dot',
  })[state];

function Machine() {
  const state = createMemo(machineState);
  const more = () => {
    const { health } = node;
    if (health === null || node.link !== 'up') return '';
    const speed = rateOf(health);
    if (speed !== null) return t('machine.rate', { rate: rate(speed) });
    return health.default_models.chat ?? '';
  };
  return (
    <A class="machine" href={paths.status} title={t('machine.rateHint')}>
      <span class={dotClass(state())} />
      <span class="what">{t(`machine.${state()}`)}</span>
      <span class="more figures">{more()}</span>
    </A>
  );
}

/** Below 640 px. */
export function Bar() {
  const place = usePlace();
  const current = (name: string) => (place() === name ? 'page' : undefined);
  return (
    <nav class="bar" aria-label={t('app.pages')} inert={isDrawer()}>
      <a href={chatPath()} aria-current={current('chat')}>
        <MessageCircle size={20} aria-hidden="true" />
        {t('pages.chat')}
      </a>
      <a href={paths.conversations} aria-current={current('conversations')}>
        <MessagesSquare size={20} aria-hidden="true" />
        {t('pages.conversations')}
      </a>
      <a href={paths.knowledge} aria-current={current('knowledge')}>
        <BookOpen size={20} aria-hidden="true" />
        {t('pages.knowledge')}
      </a>
      <a href={paths.network} aria-current={current('network')}>
        <Orbit size={20} aria-hidden="true" />
        {t('pages.network')}
        <Show when={node.health?.swarm.unread}>
          {(unread) => (
            <span class="tally" role="img" aria-label={t('network.unread', { count: count(unread()) })}>
              {count(unread())}
            </span>
          )}
        </Show>
      </a>
      <a href={paths.status} aria-current={current('status')}>
        <Gauge size={20} aria-hidden="true" />
        {t('pages.status')}
      </a>
      <button type="button" onClick={() => setDialogue('preferences')}>
        <SlidersHorizontal size={20} aria-hidden="true" />
        {t('pages.more')}
      </button>
    </nav>
  );
}
