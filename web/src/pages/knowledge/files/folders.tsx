/**
 * Folders of the node's machine that a knowledge base follows.
 *
 * @module web/pages/knowledge/files/folders
 */
import FolderSync from 'lucide-solid/icons/folder-sync';
import X from 'lucide-solid/icons/x';
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { Confirm } from '../../../base/confirm.tsx';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { IconButton } from '../../../base/icon-button.tsx';
import { sync, unfollow } from '../desk.ts';
import type { Kb } from '../kb-state.ts';
import { k, kIfKnown } from '../words/index.ts';

export function Folders(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name, state } = props.kb;
  const [folder, setFolder] = createSignal('');
  const [leaving, setLeaving] = createSignal<string | null>(null);
  const [keep, setKeep] = createSignal(false);
  const deed = createDeed();
  const folders = () => state.view?.contents?.folders ?? [];
  const run = (which: string | null) =>
    deed.run(async () => {
      await sync(name, which);
      if (which !== null) announce(k('files.followed', { folder: which }));
      await props.kb.refresh();
    });
  const follow = async (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = folder().trim();
    if (wanted !== '' && (await run(wanted))) setFolder('');
  };
  return (
    <section aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{k('files.follow')}</h2>
        <Show when={folders().length > 1}>
          <button type="button" class="button" disabled={deed.busy()} onClick={() => void run(null)}>
            {k('files.syncAll')}
          </button>
        </Show>
      </div>
      <p class="sub">{k('files.followMore')}</p>
      <Show when={folders().length > 0} fallback={<p class="nothing">{k('files.followNone')}</p>}>
        <ul class="folders">
          <For each={folders()}>
            {(one) => (
              <li>
                <FolderSync size={17} aria-hidden="true" />
                <span class="folder">
                  <bdi dir="ltr" class="mono">
                    {one.folder}
                  </bdi>
                  <span class="more">
                    {one.watch === null
                      ? k('files.under', { under: one.under })
                      : k('files.watched', { under: one.under })}
                  </span>
                </span>
                <button
                  type="button"
                  class="button"
                  disabled={deed.busy()}
                  aria-label={k('files.syncOf', { folder: one.folder })}
                  onClick={() => void run(one.folder)}
                >
                  {k('files.sync')}
                </button>
                <IconButton
                  label={k('files.unfollow', { folder: one.folder })}
                  onClick={() => setLeaving(one.folder)}
                >
                  <X size={16} aria-hidden="true" />
                </IconButton>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <form class="line-form" onSubmit={(event) => void follow(event)}>
        <div class="field">
          <label for={id}>{k('files.folder')}</label>
          <input
            id={id}
            class="input mono"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxlength="4096"
            placeholder="/home/ada/Notes"
            value={folder()}
            onInput={(event) => setFolder(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button" disabled={deed.busy() || folder().trim() === ''}>
          {k('files.followDo')}
        </button>
      </form>
      <Show when={deed.fault()}>
        {(fault) => (
          <ErrorNote fault={fault()}>
            <Show when={kIfKnown(`files.remedy.${fault().code}`)}>{(words) => <p>{words()}</p>}</Show>
          </ErrorNote>
        )}
      </Show>
      <Show when={leaving()}>
        {(one) => (
          <Confirm
            title={k('files.unfollowTitle')}
            act={k('files.unfollowDo')}
            mild={keep()}
            close={() => setLeaving(null)}
            run={async () => {
              await unfollow(name, one(), keep());
              announce(k('files.unfollowed', { folder: one() }));
              await props.kb.refresh();
            }}
          >
            <p class="breaking">{k('files.unfollowMore', { folder: one() })}</p>
            <label class="check">
              <input
                type="checkbox"
                checked={keep()}
                onChange={(event) => setKeep(event.currentTarget.checked)}
              />
              {k('files.unfollowKeep')}
            </label>
          </Confirm>
        )}
      </Show>
    </section>
  );
}
