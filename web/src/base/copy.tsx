/**
 * Copies a text and says that it did.
 *
 * @module web/base/copy
 */
import Check from 'lucide-solid/icons/check';
import CopyIcon from 'lucide-solid/icons/copy';
import { createSignal, Show } from 'solid-js';
import { announce } from '../app/announce.tsx';
import { t } from '../i18n/index.ts';
import { IconButton } from './icon-button.tsx';

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    announce(t('app.copied'));
    return true;
  } catch {
    announce(t('app.copyFailed'), 'now');
    return false;
  }
}

export function Copy(props: { readonly text: () => string; readonly label: string }) {
  const [done, setDone] = createSignal(false);
  const copy = async () => {
    if (!(await copyText(props.text()))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1_600);
  };
  return (
    <IconButton label={props.label} onClick={copy}>
      <Show when={done()} fallback={<CopyIcon size={17} aria-hidden="true" />}>
        <Check size={17} aria-hidden="true" />
      </Show>
    </IconButton>
  );
}

/** A line or a few to take along, with its copy button. */
export function Snippet(props: { readonly text: string }) {
  return (
    <div class="snippet">
      <pre tabindex="0">{props.text}</pre>
      <Copy text={() => props.text} label={t('app.copy')} />
    </div>
  );
}
