/**
 * The panel at the side: the receipt of an answer, how answers are to be made, or a source.
 *
 * @module web/app/side-panel
 */
import X from 'lucide-solid/icons/x';
import { createEffect, lazy, Match, Show, Suspense, Switch } from 'solid-js';
import { IconButton } from '../base/icon-button.tsx';
import { AnswerSettingsForm } from '../chat/answer-settings.tsx';
import { changeSettings, settingsOf } from '../chat/chat-page.tsx';
import { Receipt } from '../chat/receipt/receipt.tsx';
import { turnsOf } from '../data/conversations.ts';
import { t } from '../i18n/index.ts';
import { closePanel, panel } from './ui.ts';

const SourceView = lazy(() => import('../pages/knowledge/source-view.tsx'));

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
  const source = () => {
    const open = panel();
    return open?.kind === 'source' ? open : null;
  };
  const title = () => {
    if (source() !== null) return t('app.source');
    return panel()?.kind === 'settings' ? t('chat.settings') : t('receipt.title');
  };
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
          <Switch
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
            <Match when={open().kind === 'settings'}>
              <AnswerSettingsForm
                settings={settingsOf(props.current)}
                change={(settings) => changeSettings(props.current, settings)}
              />
            </Match>
            <Match when={source()}>
              {(shown) => (
                <Suspense>
                  <SourceView panel={shown()} />
                </Suspense>
              )}
            </Match>
          </Switch>
        </aside>
      )}
    </Show>
  );
}
