/**
 * Who saw the question, and who ran a model on it. A backend that was asked and failed may have seen it, too.
 *
 * @module web/chat/receipt/who-saw
 */
import { For, Show } from 'solid-js';
import type { Answer } from '../../data/archive.ts';
import { isFresh, localBackend, originOf, type Saw, stayedHere, witnessesOf } from '../../data/origin.ts';
import { t } from '../../i18n/index.ts';

export function WhoSaw(props: { readonly answer: Answer }) {
  const origin = () => originOf(props.answer);
  const witnesses = () => witnessesOf(props.answer);
  const attempts = () => props.answer.receipt?.route?.attempts.length ?? 0;
  const link = () => props.answer.receipt?.route?.privacy.link ?? null;
  /** Others computed blocks for this machine, which had both ends of the model. */
  const overPath = () => props.answer.receipt?.path !== undefined && isFresh(origin());
  /** The engine here ran a model; null = nobody knows. */
  const ranHere = (): Saw => {
    const { kind, backend } = origin();
    if (kind === 'local' || overPath()) return 'yes';
    if (kind === 'unknown') return 'unknown';
    return backend === localBackend ? 'once' : 'no';
  };
  const others = (): Saw => {
    const { kind } = origin();
    if (kind === 'unknown') return 'unknown';
    // Those who failed before something stood in saw the question, perhaps: not every node tells who they were.
    if ((kind === 'stale' || kind === 'search' || kind === 'stand_in') && attempts() === 0) return 'unknown';
    return witnesses().some(({ words }) => words !== 'no') ? 'unknown' : 'no';
  };
  return (
    <>
      <h3 id="who">{t('receipt.who')}</h3>
      <table aria-labelledby="who">
        <thead>
          <tr>
            <td />
            <th scope="col">{t('receipt.words')}</th>
            <th scope="col">{t('receipt.numbers')}</th>
          </tr>
        </thead>
        <tbody>
          <Row who={t('receipt.here')} words="yes" ran={ranHere()} />
          <For each={witnesses()}>{(one) => <Row who={one.backend} words={one.words} ran={one.ran} />}</For>
          <Row who={t('receipt.others')} words={others()} ran={others()} />
        </tbody>
      </table>
      <Show when={stayedHere(props.answer)}>
        <p class="aside evidence">{t('receipt.evidence', { backend: origin().backend ?? localBackend })}</p>
      </Show>
      <Show when={link()}>
        {(way) => (
          <p class="aside evidence">
            <Show when={way() === 'encrypted'} fallback={t('receipt.way.clear')}>
              {t('receipt.way.encrypted')}
            </Show>{' '}
            {overPath()
              ? t('receipt.way.hidden')
              : t('receipt.way.beyond', { backend: origin().backend ?? t('app.unknown') })}
          </p>
        )}
      </Show>
    </>
  );
}

function Row(props: { readonly who: string; readonly words: Saw; readonly ran: Saw }) {
  return (
    <tr>
      <th scope="row">{props.who}</th>
      <Cell saw={props.words} />
      <Cell saw={props.ran} />
    </tr>
  );
}

const Cell = (props: { readonly saw: Saw }) => (
  <td classList={{ yes: !['no', 'unknown'].includes(props.saw), no: ['no', 'unknown'].includes(props.saw) }}>
    {t(`receipt.saw.${props.saw}`)}
  </td>
);
