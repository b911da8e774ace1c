/**
 * Why this machine's model answered, or the strongest.
 *
 * @module web/chat/receipt/choice
 */
import { Show } from 'solid-js';
import type { Complexity } from '../../data/receipt.ts';
import { fraction, ifKnown, t } from '../../i18n/index.ts';

export function Choice(props: { readonly choice: Complexity }) {
  const choice = () => props.choice;
  const sentence = () => ifKnown(`receipt.chosen.${`${choice().by}_${choice().side}`}`) ?? choice().side;
  const position = (value: number) => Math.max(0, Math.min(1, value)) * 200;
  return (
    <>
      <h3>{t('receipt.choice')}</h3>
      <p class="chosen">{sentence()}</p>
      <Show when={choice().score !== null}>
        <svg class="scale" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">
          <line x1="0" x2="200" y1="6" y2="6" />
          <line class="local" x1="0" x2={position(choice().threshold)} y1="6" y2="6" />
          <line
            class="threshold"
            x1={position(choice().threshold)}
            x2={position(choice().threshold)}
            y1="0"
            y2="12"
          />
          <line class="score" x1={position(choice().score!)} x2={position(choice().score!)} y1="1" y2="11" />
        </svg>
      </Show>
      <dl class="facts">
        <dt>{t('receipt.score')}</dt>
        <dd>
          <Show when={choice().score !== null} fallback="–">
            <bdi>{fraction(choice().score!)}</bdi>
          </Show>
        </dd>
        <dt>{t('receipt.threshold')}</dt>
        <dd>
          <bdi>{fraction(choice().threshold)}</bdi>
        </dd>
      </dl>
    </>
  );
}
