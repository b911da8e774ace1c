/**
 * The panel at the side: the receipt of an answer, or how answers are to be made.
 *
 * @module web/app/side-panel
 */
import X from 'lucide-solid/icons/x';
import { createEffect, Show } from 'solid-js';
import { IconButton } from '../base/icon-button.tsx';
import { AnswerSettingsForm } from '../chat/answer-settings.tsx';
import { changeSettings, settingsOf } from '../chat/chat-page.tsx';
import { Receipt } from '../chat/receipt/receipt.tsx';
import { turnsOf } from '../data/conversations.ts';
import { t } from '../i18n/index.ts';
import { closePanel, panel } from './ui.ts';

export default function SidePanel(props: { readonly current: string | null }) {
  const turn = () => {
    const open = panel();
    if (open?.kind !== 'receipt' || props.current === null) return undefined;
    return turnsOf(props.current)?.find(({ id }) => id === open.turn);
  };
  let area: HTMLElement | undefined;
  // Each opening, not each change of what an open panel shows, moves the focus into it.
  createEffect(() => {
    if (panel()) area?.focus();
  });
  const title = () => (panel()?.kind === 'settings' ? t('chat.settings') : t('receipt.title'));
  return (
    <Show when={panel()}>
      {(open) => (
        <aside ref={area} class="panel" aria-label={title()} data-area="panel" tabindex="-1">
          <header>
            <h2>{title()}</h2>
            <IconButton label={t('app.close')} onClick={closePanel}>
              <X size={17} aria-hidden="true" />
            </IconButton>
          </header>
          <Show
            when={open().kind === 'settings'}
            fallback={
              <Show
                when={turn()}
                fallback={
                  <div class="receipt">
                    <p class="lede">{t('receipt.none')}</p>
                    <p class="more">{t('receipt.noneMore')}</p>
                  </div>
                }
              >
                {(one) => <Receipt turn={one()} />}
              </Show>
            }
          >
            <AnswerSettingsForm
              settings={settingsOf(props.current)}
              change={(settings) => changeSettings(props.current, settings)}
            />
          </Show>
        </aside>
      )}
    </Show>
  );
}
