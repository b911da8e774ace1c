/**
 * A modal dialog: the browser's own, with its focus trap, Escape and backdrop.
 *
 * @module web/base/dialog
 */
import X from 'lucide-solid/icons/x';
import { type JSX, onMount, Show } from 'solid-js';
import { t } from '../i18n/index.ts';
import { IconButton } from './icon-button.tsx';

interface Props {
  readonly title: string;
  readonly close: () => void;
  readonly class?: string;
  /** True: the title is for screen readers only. */
  readonly bare?: boolean;
  readonly children: JSX.Element;
}

export function Dialog(props: Props) {
  let dialog!: HTMLDialogElement;
  // Where the focus was when the dialog opened: the browser gives it back only while the dialog is on the page.
  const before = document.activeElement as HTMLElement | null;
  onMount(() => dialog.showModal());
  const closed = () => {
    props.close();
    before?.focus();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a modal dialog
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ''}`}
      aria-label={props.title}
      onClose={closed}
      onClick={(event) => {
        if (event.target === dialog) dialog.close();
      }}
    >
      <Show when={!props.bare}>
        <header>
          <h2>{props.title}</h2>
          <IconButton label={t('app.close')} onClick={() => dialog.close()}>
            <X size={18} aria-hidden="true" />
          </IconButton>
        </header>
      </Show>
      {props.children}
    </dialog>
  );
}
