/**
 * The list of keys.
 *
 * @module web/app/keys-dialog
 */
import { For, Show } from 'solid-js';
import { Dialog } from '../base/dialog.tsx';
import { preferences } from '../data/preferences.ts';
import { t } from '../i18n/index.ts';
import { paletteKeys } from './keys.ts';
import { setDialogue } from './ui.ts';

const rows = [
  [paletteKeys, 'palette'],
  ['N', 'fresh'],
  ['/', 'composer'],
  ['Esc', 'stop'],
  ['J', 'next'],
  ['K', 'previous'],
  ['R', 'receipt'],
  ['G C', 'chat'],
  ['G V', 'conversations'],
  ['G K', 'knowledge'],
  ['G N', 'network'],
  ['G E', 'vault'],
  ['G T', 'status'],
  ['F6', 'areas'],
  ['?', 'list'],
] as const;

export default function KeysDialog() {
  return (
    <Dialog title={t('keys.title')} close={() => setDialogue(null)}>
      <dl class="key-list">
        <For each={rows}>
          {([keys, what]) => (
            <div>
              <dt>{t(`keys.${what}`)}</dt>
              <dd>
                <For each={keys.split(' ')}>{(key) => <kbd class="kbd">{key}</kbd>}</For>
              </dd>
            </div>
          )}
        </For>
      </dl>
      <Show when={!preferences.letters}>
        <p class="aside">{t('keys.off')}</p>
      </Show>
    </Dialog>
  );
}
