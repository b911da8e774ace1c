/**
 * Asks before something that cannot be taken back with one click.
 *
 * @module web/base/confirm
 */
import { type JSX, Show } from 'solid-js';
import { t } from '../i18n/index.ts';
import { createDeed } from './deed.ts';
import { Dialog } from './dialog.tsx';
import { ErrorNote } from './error-note.tsx';

interface Props {
  readonly title: string;
  readonly act: string;
  /** Stays open with what went wrong when this throws. */
  readonly run: () => Promise<unknown>;
  readonly close: () => void;
  /** It destroys nothing. @default false */
  readonly mild?: boolean;
  /** It may not be done yet. @default false */
  readonly disabled?: boolean;
  readonly children: JSX.Element;
}

export function Confirm(props: Props) {
  const deed = createDeed();
  const go = async () => {
    if (await deed.run(() => props.run())) props.close();
  };
  return (
    <Dialog title={props.title} close={props.close}>
      <div class="stack">
        {props.children}
        <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      </div>
      <footer>
        <button type="button" class="button" onClick={props.close}>
          {t('app.cancel')}
        </button>
        <button
          type="button"
          class={props.mild ? 'button strong' : 'button danger'}
          disabled={deed.busy() || props.disabled}
          onClick={() => void go()}
        >
          {props.act}
        </button>
      </footer>
    </Dialog>
  );
}
