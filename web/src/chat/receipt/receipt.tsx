/**
 * The receipt of one answer: a sentence, who saw what, what happened and how long it took. What is not known is a dash
 * with its reason, never a zero.
 *
 * @module web/chat/receipt
 */
import { For, Show } from 'solid-js';
import type { Turn } from '../../data/archive.ts';
import { download } from '../../data/export.ts';
import { isFresh, originOf, stayedHere } from '../../data/origin.ts';
import { age, moment, t } from '../../i18n/index.ts';
import { Choice } from './choice.tsx';
import { CostRows } from './cost-rows.tsx';
import { Happened } from './happened.tsx';
import { PathTaken } from './path.tsx';
import { Privacy } from './privacy.tsx';
import { WhoSaw } from './who-saw.tsx';

export function Receipt(props: { readonly turn: Turn }) {
  const answer = () => props.turn.answer;
  const origin = () => originOf(answer());
  const route = () => answer().receipt?.route;
  /** Null also of a kept answer: nobody computed it now. */
  const path = () => (isFresh(origin()) ? (answer().receipt?.path ?? null) : null);
  const model = () => origin().model ?? t('app.unknown');
  const named = () => ({ backend: origin().backend ?? t('app.unknown'), model: model() });
  const lede = () => {
    const { kind } = origin();
    // An earlier node named a backend and no step.
    if (kind === 'unknown')
      return t(origin().backend === null ? 'receipt.lede.unknown' : 'receipt.lede.elsewhere', named());
    if (kind === 'local' && !stayedHere(answer())) return t('receipt.lede.after');
    if (path() !== null) return t('receipt.lede.path');
    return t(`receipt.lede.${kind}`, named());
  };
  const more = () => {
    const { kind, ageMs, backend } = origin();
    if (kind === 'unknown') return t(backend === null ? 'receipt.more.unknown' : 'receipt.more.elsewhere');
    if (kind === 'local' && !stayedHere(answer())) return t('receipt.more.after', named());
    if (path() !== null) return t('receipt.more.path', named());
    if ((kind === 'kept' || kind === 'similar' || kind === 'stale') && ageMs !== null)
      return t('receipt.more.aged', { ...named(), age: age(ageMs) });
    return t(`receipt.more.${kind}`, named());
  };
  const save = () => {
    const { question: _question, answer: one, ...turn } = props.turn;
    const { text: _text, ...facts } = one;
    download(
      'receipt.json',
      `${JSON.stringify({ kith: 'receipt', version: 1, ...turn, ...facts }, null, 2)}\n`,
      'application/json',
    );
  };
  return (
    <div class="receipt">
      <p class="lede">{lede()}</p>
      <p class="more">{more()}</p>
      <WhoSaw answer={answer()} />
      <Show when={path()}>{(one) => <PathTaken path={one()} />}</Show>
      <Happened answer={answer()} />
      <Show when={route()}>{(one) => <Privacy privacy={one().privacy} fresh={isFresh(origin())} />}</Show>
      <Show when={route()?.complexity}>{(one) => <Choice choice={one()} />}</Show>
      <Show when={(answer().receipt?.notes.length ?? 0) > 0}>
        <h3>{t('receipt.notes')}</h3>
        <ul class="notes">
          <For each={answer().receipt!.notes}>{(note) => <li dir="auto">{note}</li>}</For>
        </ul>
      </Show>
      <h3>{t('receipt.facts')}</h3>
      <dl class="facts">
        <dt>{t('receipt.model')}</dt>
        <dd>{origin().model ?? '–'}</dd>
        <dt>{t('receipt.backend')}</dt>
        <dd>{origin().backend ?? '–'}</dd>
        <Show when={route()}>{(one) => <CostRows route={one()} />}</Show>
        <Show when={answer().finish}>
          <dt>{t('receipt.finish')}</dt>
          <dd>{answer().finish === 'length' ? t('receipt.finishLength') : t('receipt.finishStop')}</dd>
        </Show>
        <dt>{t('receipt.asked')}</dt>
        <dd>
          <bdi>{moment(props.turn.asked)}</bdi>
        </dd>
        <dt>{t('receipt.request')}</dt>
        <dd>
          <code>{answer().requestId ?? '–'}</code>
        </dd>
      </dl>
      <button type="button" class="button save" onClick={save}>
        {t('receipt.save')}
      </button>
    </div>
  );
}
