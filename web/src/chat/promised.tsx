/**
 * How far the next question may go, beside the question field: what the settings and the node's own policy promise
 * together. Nothing is promised before the node has said what it has. It opens the settings.
 *
 * @module web/chat/promised
 */
import Lock from 'lucide-solid/icons/lock';
import { Match, Show, Switch } from 'solid-js';
import { openPanel } from '../app/ui.ts';
import { LinkedGlyph, OutsideGlyph } from '../base/icons.tsx';
import { conversation } from '../data/conversations.ts';
import { node } from '../data/node-state.ts';
import { preferences } from '../data/preferences.ts';
import { reachOf } from '../data/terms.ts';
import { t } from '../i18n/index.ts';

export function Promised(props: { readonly conversation: string | null }) {
  const settings = () =>
    (props.conversation === null ? undefined : conversation(props.conversation)?.settings) ??
    preferences.settings;
  const reach = () => reachOf(settings(), node.health) ?? 'unknown';
  const told = () => node.health !== null || node.link !== 'connecting';
  return (
    <Show when={told()}>
      <button
        type="button"
        class="promise"
        data-reach={reach()}
        title={t(`reach.more.${reach()}`)}
        onClick={() => openPanel({ kind: 'settings' })}
      >
        <Switch fallback={<OutsideGlyph />}>
          <Match when={reach() === 'here' || reach() === 'unknown'}>
            <Lock size={15} aria-hidden="true" />
          </Match>
          <Match when={reach() === 'owned' || reach() === 'trusted'}>
            <LinkedGlyph />
          </Match>
        </Switch>
        <span>{t(`reach.${reach()}`)}</span>
      </button>
    </Show>
  );
}
