/**
 * Knowledge bases that peers share with this node: taken in by a line that came from there, and forgotten again.
 *
 * @module web/pages/knowledge/share/theirs
 */
import X from 'lucide-solid/icons/x';
import { createResource, createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { IconButton } from '../../../base/icon-button.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { moment } from '../../../i18n/index.ts';
import { told } from '../graph/told.ts';
import { type AcceptedGrant, accept, forget, grants } from './desk.ts';
import { s } from './words.ts';
import './share.css';

/** Enough of the PeerId to tell peers apart, as commands take it. */
const called = ({ issuer, kb }: AcceptedGrant): string => `@${issuer.slice(-8)}:${kb}`;

export default function Theirs() {
  const id = createUniqueId();
  const [found, { refetch }] = createResource(grants);
  const [text, setText] = createSignal('');
  const deed = createDeed();
  const take = (event: SubmitEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      const given = text().trim();
      const taken = await accept(given.startsWith('kith-grant:') ? { grant: given } : { peer: given });
      announce(
        taken.length === 0 ? s('acceptedNone') : s('accepted', { name: taken.map(called).join(', ') }),
      );
      setText('');
      await refetch();
    });
  };
  return (
    <section class="theirs" aria-labelledby={id}>
      <h2 id={id}>{s('theirs')}</h2>
      <p class="sub">{s('theirsMore')}</p>
      <Show when={found.error}>
        <ErrorNote fault={faultIn(found.error)} />
      </Show>
      <Show when={told(found)}>
        {(all) => (
          <Show when={all().accepted.length > 0} fallback={<p class="nobody">{s('theirsNone')}</p>}>
            <ul class="grants" aria-label={s('theirs')}>
              <For each={all().accepted}>
                {(grant) => (
                  <li>
                    <span class="pair">
                      <bdi dir="ltr" class="mono" title={grant.name}>
                        {called(grant)}
                      </bdi>{' '}
                      <span class="figures grant-state" data-state={grant.state}>
                        {s(`states.${grant.state}`, {
                          until: moment(grant.until),
                          from: moment(grant.from),
                        })}
                      </span>
                      <span class="more">{s('ask', { name: called(grant) })}</span>
                    </span>
                    <IconButton
                      label={s('forget', { name: called(grant) })}
                      onClick={() =>
                        void deed.run(async () => {
                          await forget(grant.id);
                          announce(s('forgotten', { name: called(grant) }));
                          await refetch();
                        })
                      }
                    >
                      <X size={16} aria-hidden="true" />
                    </IconButton>
                  </li>
                )}
              </For>
            </ul>
          </Show>
        )}
      </Show>
      <form class="line-form" onSubmit={take}>
        <div class="field">
          <label for={`${id}-line`}>{s('accept')}</label>
          <input
            id={`${id}-line`}
            class="input mono"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxlength="16384"
            placeholder="kith-grant:…"
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button" disabled={deed.busy() || text().trim() === ''}>
          {s('acceptDo')}
        </button>
      </form>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </section>
  );
}
