/**
 * What the answer cost, and what the cache spared.
 *
 * @module web/chat/receipt/cost-rows
 */
import { Show } from 'solid-js';
import type { Route } from '../../data/receipt.ts';
import { age, count, money, t } from '../../i18n/index.ts';

export function CostRows(props: { readonly route: Route }) {
  const cost = () => props.route.cost;
  return (
    <>
      <dt>{t('receipt.cost')}</dt>
      <dd>
        <Show when={cost() !== null} fallback={t('app.unknown')}>
          <Show when={cost() !== 0} fallback={t('receipt.costNone')}>
            <bdi title={t('receipt.costUnit')}>{money(cost()!)}</bdi>
          </Show>
        </Show>
      </dd>
      <Show when={props.route.cache}>
        {(cache) => (
          <>
            <Show when={cache().status !== 'shared'}>
              <dt>{t('receipt.age')}</dt>
              <dd>
                <bdi>{age(cache().age_ms)}</bdi>
              </dd>
            </Show>
            <dt>{t('receipt.spared')}</dt>
            <dd>
              <bdi>{cache().saved_tokens === null ? t('app.unknown') : count(cache().saved_tokens!)}</bdi>
            </dd>
          </>
        )}
      </Show>
    </>
  );
}
