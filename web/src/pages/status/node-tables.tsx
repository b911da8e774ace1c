/**
 * What is in the node's memory, and what it runs on.
 *
 * @module web/pages/status/node-tables
 */
import { For, Show } from 'solid-js';
import type { DetailedHealth } from '../../../../src/server/health/types.ts';
import { count, long, rate, size, t } from '../../i18n/index.ts';

export function Models(props: { readonly health: DetailedHealth }) {
  return (
    <section>
      <h2 id="models">{t('status.models')}</h2>
      <Show when={props.health.models.length > 0} fallback={<p class="nothing">{t('status.modelsNone')}</p>}>
        <section class="table-box" tabindex="0" aria-labelledby="models">
          <table class="figure-table">
            <thead>
              <tr>
                <th scope="col">{t('status.name')}</th>
                <th scope="col">{t('status.device')}</th>
                <th scope="col">{t('status.weights')}</th>
                <th scope="col">{t('status.cells')}</th>
                <th scope="col" class="end">
                  {t('status.speed')}
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={props.health.models}>
                {(model) => (
                  <tr>
                    <th scope="row">
                      {model.id}
                      <span class="more">{model.architecture}</span>
                    </th>
                    <td>{model.device}</td>
                    <td>
                      <bdi>{size(model.weight_bytes)}</bdi>
                    </td>
                    <td>
                      <Show when={model.kv_cells} fallback="–">
                        {(cells) => (
                          <>
                            <bdi>
                              {t('status.cellsUsed', {
                                used: count(cells().used),
                                total: count(cells().total),
                              })}
                            </bdi>
                            <span class="more">
                              {t('status.cellsCached', { cached: count(cells().cached) })}
                            </span>
                          </>
                        )}
                      </Show>
                    </td>
                    <td class="end">
                      <bdi>
                        {model.tokens_per_second === null
                          ? '–'
                          : t('place.rate', { rate: rate(model.tokens_per_second) })}
                      </bdi>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </section>
      </Show>
    </section>
  );
}

export function NodeFacts(props: { readonly health: DetailedHealth }) {
  const health = () => props.health;
  const bytes = (value: number | null) => (value === null ? '–' : size(value));
  const engine = () => {
    const { state, restarts } = health().engine;
    return restarts === 0 ? state : t('status.engineRestarts', { state, count: count(restarts) });
  };
  return (
    <section>
      <h2 id="node">{t('status.node')}</h2>
      <dl class="facts">
        <dt>{t('status.version')}</dt>
        <dd>{health().version}</dd>
        <dt>{t('status.uptime')}</dt>
        <dd>
          <bdi>{long(health().uptime_s)}</bdi>
        </dd>
        <dt>{t('status.address')}</dt>
        <dd>{health().url}</dd>
        <dt>{t('status.process')}</dt>
        <dd>{health().pid}</dd>
        <dt>{t('status.engine')}</dt>
        <dd>{engine()}</dd>
        <Show when={health().engine.last_cause}>
          {(cause) => (
            <>
              <dt>{t('status.engineCause')}</dt>
              <dd dir="auto">{cause()}</dd>
            </>
          )}
        </Show>
        <dt>{t('status.threads')}</dt>
        <dd>{count(health().threads)}</dd>
        <dt>{t('status.nodeMemory')}</dt>
        <dd>
          <bdi>{bytes(health().memory.node_bytes)}</bdi>
        </dd>
        <dt>{t('status.free')}</dt>
        <dd>
          <bdi>{bytes(health().memory.free_bytes)}</bdi>
        </dd>
        <dt>{t('status.disk')}</dt>
        <dd>
          <bdi>{bytes(health().disk.free_bytes)}</bdi>
        </dd>
      </dl>
    </section>
  );
}
