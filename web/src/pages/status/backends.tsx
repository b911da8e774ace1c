/**
 * Who answers for this node besides its own engine: where each is, how it does, and whether it is asked at all.
 *
 * @module web/pages/status/backends
 */
import { For, Show } from 'solid-js';
import type { BackendStatus, DetailedHealth } from '../../../../src/server/health/types.ts';
import { PlaceGlyph } from '../../chat/place-chip.tsx';
import { localBackend, type OriginKind } from '../../data/origin.ts';
import { count, duration, t } from '../../i18n/index.ts';

export function Backends(props: { readonly health: DetailedHealth }) {
  const out = () => props.health.backends.filter((backend) => isOut(backend)).length;
  const lede = () => {
    const all = props.health.backends.length;
    return out() === 0
      ? t('status.backendsWell', { count: count(all) })
      : t('status.backendsOut', { count: count(out()), all: count(all) });
  };
  return (
    <section class="backends">
      <h2 id="backends">{t('status.backends')}</h2>
      <p class="sub">{lede()}</p>
      <section class="table-box" tabindex="0" aria-labelledby="backends">
        <table class="figure-table">
          <thead>
            <tr>
              <th scope="col">{t('status.name')}</th>
              <th scope="col">{t('status.state')}</th>
              <th scope="col">{t('status.where')}</th>
              <th scope="col">{t('status.breaker')}</th>
              <th scope="col" class="end">
                {t('status.answersIn')}
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={props.health.backends}>{(backend) => <Row backend={backend} />}</For>
          </tbody>
        </table>
      </section>
    </section>
  );
}

const isOut = ({ status, breaker, link }: BackendStatus): boolean =>
  status === 'degraded' || breaker.state === 'open' || link === 'open';

const kindOf = ({ name, where }: BackendStatus): OriginKind =>
  name === localBackend ? 'local' : where === 'this_machine' ? 'here' : where;

function Row(props: { readonly backend: BackendStatus }) {
  const backend = () => props.backend;
  const dot = () => ({ ok: 'dot ready', starting: 'dot live', degraded: 'dot failed' })[backend().status];
  const breaker = () => backend().breaker;
  return (
    <tr data-backend={backend().name}>
      <th scope="row">
        <span class="backend-name">
          <PlaceGlyph kind={kindOf(backend())} />
          {backend().name}
        </span>
        <span class="more">
          {backend().models_available === 1
            ? t('status.modelsOne')
            : t('status.modelsMany', { count: count(backend().models_available) })}
        </span>
      </th>
      <td>
        <span class="backend-state">
          <span class={dot()} />
          {t(`status.states.${backend().status}`)}
        </span>
        <Show when={backend().message}>
          {(message) => (
            <span class="more" dir="auto">
              {message()}
            </span>
          )}
        </Show>
      </td>
      <td>
        {t(`status.places.${backend().where}`)}
        <Show when={backend().link}>
          {(link) => (
            <span class="more" classList={{ bad: link() === 'open' }}>
              {t(`status.links.${link()}`)}
            </span>
          )}
        </Show>
      </td>
      <td>
        {t(`status.breakers.${breaker().state}`)}
        <Show when={breaker().failures > 0}>
          <span class="more">{t('status.failures', { count: count(breaker().failures) })}</span>
        </Show>
      </td>
      <td class="end">
        <bdi>{backend().latency_ms === null ? '–' : duration(backend().latency_ms!)}</bdi>
      </td>
    </tr>
  );
}
