/**
 * The one kind of passing note: something was done that can be taken back.
 *
 * @module web/app/undo
 */
import X from 'lucide-solid/icons/x';
import { Show } from 'solid-js';
import { IconButton } from '../base/icon-button.tsx';
import { t } from '../i18n/index.ts';
import { closeUndo, undo } from './ui.ts';

export function UndoNote() {
  return (
    <div role="status" aria-live="polite">
      <Show when={undo()} keyed>
        {(offer) => (
          <div class="undo">
            <span dir="auto">{offer.text}</span>
            <button
              type="button"
              class="text-button"
              onClick={() => {
                closeUndo();
                offer.undo();
              }}
            >
              {t('app.undo')}
            </button>
            <IconButton label={t('app.close')} onClick={closeUndo} class="plain">
              <X size={16} aria-hidden="true" />
            </IconButton>
          </div>
        )}
      </Show>
    </div>
  );
}
