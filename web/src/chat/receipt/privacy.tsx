/**
 * The evidence of privacy: the level that held, where it was computed, how it got there, what was replaced before.
 *
 * @module web/chat/receipt/privacy
 */
import { For, Show } from 'solid-js';
import type { Route } from '../../data/receipt.ts';
import { count, ifKnown, t } from '../../i18n/index.ts';

export function Privacy(props: { readonly privacy: Route['privacy']; readonly fresh: boolean }) {
  const privacy = () => props.privacy;
  const where = () => {
    const { where } = privacy();
    if (where !== null) return ifKnown(`receipt.where.${where}`) ?? where;
    return props.fresh ? '–' : t('receipt.where.none');
  };
  const outside = () => privacy().where !== null && privacy().where !== 'this_machine';
  return (
    <>
      <h3 id="privacy">{t('receipt.privacy')}</h3>
      <dl class="facts" aria-labelledby="privacy">
        <dt>{t('receipt.level')}</dt>
        <dd>{ifKnown(`privacy.level.${privacy().level}`) ?? privacy().level}</dd>
        <dt>{t('receipt.computed')}</dt>
        <dd>{where()}</dd>
        <Show when={privacy().link}>
          {(link) => (
            <>
              <dt>{t('receipt.linked')}</dt>
              <dd>{ifKnown(`receipt.link.${link()}`) ?? link()}</dd>
            </>
          )}
        </Show>
        <Show when={outside() || privacy().replaced}>
          <dt>{t('receipt.replaced')}</dt>
          <dd>
            <Show when={privacy().replaced} fallback={t('receipt.replacedNot')}>
              {(found) => (
                <Show when={found().length > 0} fallback={t('receipt.replacedNone')}>
                  <ul class="found">
                    <For each={found()}>
                      {(one) => (
                        <li>
                          {ifKnown(`privacy.class.${one.class}`) ?? one.class}{' '}
                          <bdi>
                            ×{'\u00a0'}
                            {count(one.count)}
                          </bdi>
                        </li>
                      )}
                    </For>
                  </ul>
                </Show>
              )}
            </Show>
          </dd>
        </Show>
      </dl>
      <Show when={(privacy().replaced?.length ?? 0) > 0}>
        <p class="aside evidence">{t('receipt.replacedMore')}</p>
      </Show>
    </>
  );
}
