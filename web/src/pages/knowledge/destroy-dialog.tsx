/**
 * Deletes a knowledge base, or forgets one whose file is away. Its name has to be typed: it cannot be taken back.
 *
 * @module web/pages/knowledge/destroy-dialog
 */
import { createSignal, createUniqueId, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Confirm } from '../../base/confirm.tsx';
import { count } from '../../i18n/index.ts';
import { destroy, type KbView } from './desk.ts';
import { refreshKbs } from './kbs.ts';
import { k } from './words/index.ts';

interface Props {
  readonly kb: KbView;
  readonly close: () => void;
  readonly done: () => void;
}

export function DestroyDialog(props: Props) {
  const id = createUniqueId();
  const { name, path, contents } = props.kb;
  const [typed, setTyped] = createSignal('');
  const [keep, setKeep] = createSignal(contents === null);
  return (
    <Confirm
      title={k('destroy.title', { name })}
      act={keep() ? k('destroy.forget') : k('destroy.do')}
      mild={keep()}
      disabled={!keep() && typed().trim() !== name}
      run={async () => {
        await destroy(name, keep());
        announce(keep() ? k('destroy.forgotten', { name }) : k('destroy.done', { name }));
        await refreshKbs();
        props.done();
      }}
      close={props.close}
    >
      <p class="breaking">
        {contents === null
          ? k('destroy.moreAway', { path })
          : k('destroy.more', {
              documents: count(contents.documents),
              passages: count(contents.chunks),
            })}
      </p>
      <Show when={contents !== null}>
        <label class="check">
          <input
            type="checkbox"
            checked={keep()}
            onChange={(event) => setKeep(event.currentTarget.checked)}
          />
          <span class="breaking">{k('destroy.keep', { path })}</span>
        </label>
      </Show>
      <Show when={!keep()}>
        <div class="field">
          <label for={id}>{k('destroy.type', { name })}</label>
          <input
            id={id}
            class="input"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={typed()}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </div>
      </Show>
    </Confirm>
  );
}
