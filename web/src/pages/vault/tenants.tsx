/**
 * Who keeps something on this node: whose it is, how much of how much, until when. To be backed up and deleted.
 *
 * @module web/pages/vault/tenants
 */
import Download from 'lucide-solid/icons/download';
import Trash from 'lucide-solid/icons/trash';
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { peerPath } from '../../app/pages.ts';
import { Confirm } from '../../base/confirm.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import { count, moment, size } from '../../i18n/index.ts';
import { backupTenant, destroyTenant, type TenantView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { refreshVault } from './vault-state.ts';
import { v } from './words.ts';

export function Tenants(props: { readonly tenants: readonly TenantView[] }) {
  const id = createUniqueId();
  const [leaving, setLeaving] = createSignal<TenantView | null>(null);
  const [saving, setSaving] = createSignal<TenantView | null>(null);
  const [done, setDone] = createSignal<string | null>(null);
  const tell = (words: string) => {
    announce(words);
    setDone(words);
  };
  return (
    <div class="tenants">
      <h3 id={id}>{v('lend.tenants')}</h3>
      <Show when={props.tenants.length > 0} fallback={<p class="nothing">{v('lend.tenantsNone')}</p>}>
        <section class="table-box" tabindex="0" aria-labelledby={id}>
          <table class="figure-table">
            <thead>
              <tr>
                <th scope="col">{v('lend.owner')}</th>
                <th scope="col">{v('lend.usedOf')}</th>
                <th scope="col" class="in-wide">
                  {v('lend.state')}
                </th>
                <th scope="col" class="in-wide">
                  {v('lend.until')}
                </th>
                <td />
              </tr>
            </thead>
            <tbody>
              <For each={props.tenants}>
                {(tenant) => (
                  <Row
                    tenant={tenant}
                    save={() => setSaving({ ...tenant })}
                    leave={() => setLeaving({ ...tenant })}
                  />
                )}
              </For>
            </tbody>
          </table>
        </section>
      </Show>
      <Show when={done()}>{(words) => <p class="done breaking">{words()}</p>}</Show>
      <Show when={leaving()}>
        {(tenant) => (
          <Confirm
            title={v('lend.removeTitle', { owner: shortPeer(tenant().owner) })}
            act={v('lend.removeDo')}
            close={() => setLeaving(null)}
            run={async () => {
              const { owner, label } = tenant();
              await destroyTenant(owner, label);
              tell(v('lend.removed', { owner: shortPeer(owner) }));
              await refreshVault();
            }}
          >
            <p class="breaking">{tenant().owner}</p>
            <p>{v('lend.removeMore', { size: size(tenant().quotaBytes) })}</p>
          </Confirm>
        )}
      </Show>
      <Show when={saving()}>
        {(tenant) => <Backup tenant={tenant()} tell={tell} close={() => setSaving(null)} />}
      </Show>
    </div>
  );
}

function Row(props: { readonly tenant: TenantView; readonly save: () => void; readonly leave: () => void }) {
  const owner = () => shortPeer(props.tenant.owner);
  const open = () => props.tenant.state === 'open';
  const stateText = () =>
    props.tenant.damaged
      ? v('lend.damaged')
      : v(`lend.states.${props.tenant.state}`, { when: moment(props.tenant.deletedAt) });
  return (
    <tr data-owner={props.tenant.owner}>
      <th scope="row">
        <a href={peerPath(props.tenant.owner)} title={props.tenant.owner}>
          <bdi>{owner()}</bdi>
        </a>
        <span class="more in-narrow">
          {stateText()}, {v('kb.untilAt', { when: moment(props.tenant.until) })}
        </span>
        <span class="more">{v('lend.label', { label: `${props.tenant.label.slice(0, 8)}…` })}</span>
      </th>
      <td>
        <span class="amount">
          <meter min="0" max={props.tenant.quotaBytes} value={props.tenant.usedBytes} aria-hidden="true" />
          <span class="nowrap">
            {v('lend.usedOfMore', {
              used: size(props.tenant.usedBytes),
              quota: size(props.tenant.quotaBytes),
            })}
          </span>
        </span>
        <span class="more">{v('lend.blocks', { count: count(props.tenant.blocks) })}</span>
      </td>
      <td class="in-wide">
        <span class="state-line">
          <span class={props.tenant.damaged ? 'dot failed' : open() ? 'dot ready' : 'dot warn'} />
          {stateText()}
        </span>
      </td>
      <td class="nowrap in-wide">{moment(props.tenant.until)}</td>
      <td class="end">
        <span class="row-acts">
          <IconButton label={v('lend.backup', { owner: owner() })} onClick={props.save}>
            <Download size={16} aria-hidden="true" />
          </IconButton>
          <IconButton label={v('lend.remove', { owner: owner() })} onClick={props.leave}>
            <Trash size={16} aria-hidden="true" />
          </IconButton>
        </span>
      </td>
    </tr>
  );
}

function Backup(props: {
  readonly tenant: TenantView;
  readonly tell: (words: string) => void;
  readonly close: () => void;
}) {
  const id = createUniqueId();
  const [file, setFile] = createSignal('');
  return (
    <Confirm
      title={v('lend.backupTitle', { owner: shortPeer(props.tenant.owner) })}
      act={v('lend.backupDo')}
      mild
      disabled={file().trim() === ''}
      close={props.close}
      run={async () => {
        const made = await backupTenant(props.tenant.owner, props.tenant.label, file().trim());
        props.tell(v('lend.backedUp', { file: made.file, size: size(made.bytes) }));
      }}
    >
      <p>{v('lend.backupMore')}</p>
      <div class="field">
        <label for={id}>{v('lend.backupFile')}</label>
        <input
          id={id}
          class="input mono"
          dir="ltr"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxlength="4096"
          placeholder="/media/drive/tenant.sqlite"
          value={file()}
          onInput={(event) => setFile(event.currentTarget.value)}
        />
      </div>
    </Confirm>
  );
}
