/**
 * One thing at a time that the reader should know about the node, the most serious first.
 *
 * @module web/app/banner
 */
import { A } from '@solidjs/router';
import CloudOff from 'lucide-solid/icons/cloud-off';
import KeyRound from 'lucide-solid/icons/key-round';
import TriangleAlert from 'lucide-solid/icons/triangle-alert';
import Unplug from 'lucide-solid/icons/unplug';
import { createMemo, createSignal, Match, onCleanup, Show, Switch } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { willResume } from '../data/answering.ts';
import { lasting } from '../data/conversations.ts';
import { node, reconnect } from '../data/node-state.ts';
import { t } from '../i18n/index.ts';
import { paths } from './pages.ts';

type Kind = 'denied' | 'down' | 'degraded' | 'stopping' | 'offline' | 'notKept';

export function Banner() {
  const [online, setOnline] = createSignal(navigator.onLine);
  const update = () => setOnline(navigator.onLine);
  addEventListener('online', update);
  addEventListener('offline', update);
  onCleanup(() => {
    removeEventListener('online', update);
    removeEventListener('offline', update);
  });
  const kind = createMemo((): Kind | null => {
    if (node.link === 'denied' || node.link === 'down') return node.link;
    if (node.health?.status === 'degraded' || node.health?.status === 'stopping') return node.health.status;
    if (!online()) return 'offline';
    return lasting() ? null : 'notKept';
  });
  const text = () => {
    switch (kind()) {
      case 'down':
        return willResume() ? t('banner.downResume') : t('banner.down');
      case 'degraded':
        return t('banner.degraded', { why: node.health?.message ?? t('app.unknown') });
      case null:
        return '';
      default:
        return t(`banner.${kind() as 'denied' | 'stopping' | 'offline' | 'notKept'}`);
    }
  };
  const icon = () => {
    if (kind() === 'denied') return KeyRound;
    if (kind() === 'down') return Unplug;
    return kind() === 'offline' ? CloudOff : TriangleAlert;
  };
  return (
    <Show when={kind() !== null}>
      <div
        class="banner"
        classList={{ failed: kind() === 'down' || kind() === 'denied' }}
        role="status"
        data-banner={kind()}
      >
        <Dynamic component={icon()} size={18} aria-hidden="true" />
        <span class="grow">{text()}</span>
        <Switch>
          <Match when={kind() === 'down'}>
            <button type="button" class="text-button" onClick={reconnect}>
              {t('banner.retry')}
            </button>
          </Match>
          <Match when={kind() === 'denied'}>
            <button type="button" class="text-button" onClick={() => location.reload()}>
              {t('banner.reload')}
            </button>
          </Match>
          <Match when={kind() === 'degraded'}>
            <A class="text-button" href={paths.status}>
              {t('banner.seeStatus')}
            </A>
          </Match>
        </Switch>
      </div>
    </Show>
  );
}
