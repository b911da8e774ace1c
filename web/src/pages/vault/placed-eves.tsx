/**
 * The Eves of a knowledge base: what each keeps, until when, and what came of asking her to show it.
 *
 * @module web/pages/vault/placed-eves
 */
import X from 'lucide-solid/icons/x';
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { peerPath } from '../../app/pages.ts';
import { Confirm } from '../../base/confirm.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import { count, fraction, moment, size, t } from '../../i18n/index.ts';
import { type CheckView, change, type PlacedTenant, type PlacedView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { EveName } from './operator.tsx';
import { v } from './words.ts';

interface Props {
  readonly placed: PlacedView;
  /** Null while they are asked. */
  readonly tenants: readonly PlacedTenant[] | null;
  readonly checked: CheckView['eves'] | null;
  readonly changed: () => Promise<void>;
}

export function PlacedEves(props: Props) {
  const id = createUniqueId();
  const [leaving, setLeaving] = createSignal<string | null>(null);
  const tenantOf = (peer: string) => props.tenants?.find((one) => one.peer === peer) ?? null;
  return (
    <section class="placed-eves">
      <h2 id={id}>{v('kb.eves')}</h2>
      <section class="table-box" tabindex="0" aria-labelledby={id}>
        <table class="figure-table">
          <thead>
            <tr>
              <th scope="col">{v('kb.eve')}</th>
              <th scope="col">{v('kb.tenant')}</th>
              <th scope="col">{v('kb.used')}</th>
              <th scope="col" class="in-wide">
                {v('kb.until')}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            <For each={props.placed.eves}>
              {(eve) => (
                <tr data-peer={eve.peer}>
                  <th scope="row">
                    <a href={peerPath(eve.peer)}>
                      <EveName placed={props.placed} eve={eve} />
                    </a>
                  </th>
                  <td>
                    <State tenant={tenantOf(eve.peer)} asked={props.tenants !== null} />
                    <Standing tenant={tenantOf(eve.peer)} poor={props.placed.poor.includes(eve.peer)} />
                    <Checked one={props.checked?.find(({ peer }) => peer === eve.peer) ?? null} />
                  </td>
                  <td>
                    <Used tenant={tenantOf(eve.peer)} />
                    <Show when={tenantOf(eve.peer)?.until}>
                      {(at) => <span class="more in-narrow">{v('kb.untilAt', { when: moment(at()) })}</span>}
                    </Show>
                  </td>
                  <td class="nowrap in-wide">
                    <Show when={tenantOf(eve.peer)?.until} fallback="–">
                      {(at) => moment(at())}
                    </Show>
                  </td>
                  <td class="end">
                    <Show when={props.placed.eves.length > 1}>
                      <IconButton
                        label={v('kb.drop', { peer: shortPeer(eve.peer) })}
                        onClick={() => setLeaving(eve.peer)}
                      >
                        <X size={16} aria-hidden="true" />
                      </IconButton>
                    </Show>
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </section>
      <Show when={leaving()}>
        {(peer) => (
          <Confirm
            title={v('kb.dropTitle', { peer: shortPeer(peer()) })}
            act={v('kb.dropDo')}
            close={() => setLeaving(null)}
            run={async () => {
              await change(props.placed.kb, { drop: [peer()] });
              announce(v('kb.begun'));
              await props.changed();
            }}
          >
            <p>{v('kb.dropMore')}</p>
          </Confirm>
        )}
      </Show>
    </section>
  );
}

function State(props: { readonly tenant: PlacedTenant | null; readonly asked: boolean }) {
  const state = () => props.tenant?.state ?? 'away';
  return (
    <Show
      when={props.tenant !== null}
      fallback={<span class="aside">{props.asked ? '–' : v('kb.asking')}</span>}
    >
      <span class="state-line">
        <span class={state() === 'open' ? 'dot ready' : state() === 'grace' ? 'dot warn' : 'dot failed'} />
        {v(`kb.states.${state()}`)}
      </span>
      <Show when={props.tenant?.trouble}>
        {(trouble) => (
          <span class="more bad" dir="auto">
            {trouble()}
          </span>
        )}
      </Show>
    </Show>
  );
}

/** What this node thinks of her, from what it saw. */
function Standing(props: { readonly tenant: PlacedTenant | null; readonly poor: boolean }) {
  return (
    <>
      <Show when={props.tenant?.standing}>
        {(standing) => (
          <span class="more figures">
            {t(`network.tiers.${standing().tier}`)},{' '}
            {t('network.score', { score: fraction(standing().score) })}
          </span>
        )}
      </Show>
      <Show when={props.poor}>
        <span class="more poor">{v('kb.poor')}</span>
      </Show>
    </>
  );
}

function Used(props: { readonly tenant: PlacedTenant | null }) {
  const known = () => {
    const { usedBytes = null, quotaBytes = null, blocks = null } = props.tenant ?? {};
    return usedBytes === null || quotaBytes === null ? null : { usedBytes, quotaBytes, blocks };
  };
  return (
    <Show when={known()} fallback="–">
      {(one) => (
        <>
          <span class="amount">
            <meter min="0" max={one().quotaBytes} value={one().usedBytes} aria-hidden="true" />
            <span class="nowrap">
              {v('kb.usedOf', { used: size(one().usedBytes), quota: size(one().quotaBytes) })}
            </span>
          </span>
          <Show when={one().blocks !== null}>
            <span class="more">{v('kb.blocks', { count: count(one().blocks!) })}</span>
          </Show>
        </>
      )}
    </Show>
  );
}

function Checked(props: { readonly one: CheckView['eves'][number] | null }) {
  const words = () => {
    const { asked, failed } = props.one!;
    if (asked === 0) return v('kb.unasked');
    return failed === 0
      ? v('kb.sound', { asked: count(asked) })
      : v('kb.unsound', { failed: count(failed), asked: count(asked) });
  };
  const sound = () => props.one!.asked > 0 && props.one!.failed === 0 && props.one!.why === null;
  return (
    <Show when={props.one}>
      {(one) => (
        <span class="more checked" classList={{ bad: !sound(), good: sound() }}>
          {v('kb.checked')}: {words()}
          <Show when={one().why}>
            {(why) => (
              <>
                {' '}
                (<bdi>{why()}</bdi>)
              </>
            )}
          </Show>
        </span>
      )}
    </Show>
  );
}
