/**
 * A field for a PeerId, and the line below it that says how one looks.
 *
 * @module web/pages/vault/peer-field
 */
import { createSignal } from 'solid-js';
import { isPeerId } from './figures.ts';
import { v } from './words.ts';

export interface PeerEntry {
  readonly value: () => string;
  /** Marked when it was checked, until something else is typed. */
  readonly wrong: () => boolean;
  set(value: string): void;
  /** What was typed; null: it is no PeerId, and is marked so. @param optional whether nothing will do */
  checked(optional?: boolean): string | null;
}

export function createPeerEntry(): PeerEntry {
  const [value, setValue] = createSignal('');
  const [wrong, setWrong] = createSignal(false);
  return {
    value,
    wrong,
    set(text) {
      setValue(text);
      setWrong(false);
    },
    checked(optional = false) {
      const peer = value().trim();
      setWrong(!isPeerId(peer) && !(optional && peer === ''));
      return wrong() ? null : peer;
    },
  };
}

export function PeerField(props: {
  readonly id: string;
  readonly label: string;
  readonly entry: PeerEntry;
  /** What Enter does where the form around it does more. */
  readonly enter?: () => void;
}) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      <input
        id={props.id}
        class="input mono"
        dir="ltr"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxlength="64"
        placeholder="12D3Koo…"
        aria-describedby={`${props.id}-hint`}
        aria-invalid={props.entry.wrong()}
        value={props.entry.value()}
        onInput={(event) => props.entry.set(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || props.enter === undefined) return;
          event.preventDefault();
          props.enter();
        }}
      />
    </div>
  );
}

export function PeerHint(props: { readonly id: string; readonly entry: PeerEntry; readonly hint: string }) {
  return (
    <p class="hint" classList={{ wrong: props.entry.wrong() }} id={`${props.id}-hint`}>
      {props.entry.wrong() ? v('place.peerWrong') : props.hint}
    </p>
  );
}
