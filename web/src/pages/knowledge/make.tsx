/**
 * Makes a knowledge base.
 *
 * @module web/pages/knowledge/make
 */
import { useNavigate } from '@solidjs/router';
import { createSignal, createUniqueId, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { kbPath } from '../../app/pages.ts';
import { createDeed } from '../../base/deed.ts';
import { Dialog } from '../../base/dialog.tsx';
import { ErrorNote } from '../../base/error-note.tsx';
import { create } from './desk.ts';
import { kbs, refreshKbs } from './kbs.ts';
import { k } from './words/index.ts';

/** As the node names them. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export function MakeForm(props: { readonly made: (name: string) => void }) {
  const id = createUniqueId();
  const [name, setName] = createSignal('');
  const [folder, setFolder] = createSignal('');
  const [tried, setTried] = createSignal(false);
  const deed = createDeed();
  const wrong = () => {
    if (kbs.all?.some((kb) => kb.name === name())) return k('make.nameTaken');
    return NAME.test(name()) ? null : k('make.nameWrong');
  };
  const said = () => (tried() || /[^a-z0-9._-]/.test(name()) ? wrong() : null);
  const go = async (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong() !== null) return;
    const called = name();
    const made = await deed.run(() => create(called, folder().trim() === '' ? null : folder().trim()));
    if (!made) return;
    announce(k('make.made', { name: called }));
    void refreshKbs();
    props.made(called);
  };
  return (
    <form class="make" onSubmit={(event) => void go(event)}>
      <div class="line-form">
        <div class="field">
          <label for={id}>{k('make.name')}</label>
          <input
            id={id}
            class="input"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxlength="64"
            placeholder="notes"
            aria-describedby={`${id}-hint`}
            aria-invalid={said() !== null}
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button strong" disabled={deed.busy()}>
          {k('make.do')}
        </button>
      </div>
      <p class="hint" classList={{ wrong: said() !== null }} id={`${id}-hint`}>
        {said() ?? k('make.nameHint')}
      </p>
      <details>
        <summary>{k('make.elsewhere')}</summary>
        <div class="field">
          <label for={`${id}-folder`}>{k('make.folder')}</label>
          <input
            id={`${id}-folder`}
            class="input mono"
            dir="ltr"
            autocomplete="off"
            spellcheck={false}
            maxlength="4096"
            placeholder="/media/ada/drive"
            aria-describedby={`${id}-folder-hint`}
            value={folder()}
            onInput={(event) => setFolder(event.currentTarget.value)}
          />
          <span class="hint" id={`${id}-folder-hint`}>
            {k('make.folderHint', { name: name() || 'notes' })}
          </span>
        </div>
      </details>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </form>
  );
}

export function MakeDialog(props: { readonly close: () => void }) {
  const go = useNavigate();
  return (
    <Dialog title={k('make.title')} close={props.close} class="knowledge">
      <MakeForm
        made={(name) => {
          props.close();
          go(kbPath(name, 'files'));
        }}
      />
    </Dialog>
  );
}
