/**
 * The receipt of one answer: a sentence, who saw what, what happened and how long it took. What is not known is a dash
 * with its reason, never a zero.
 *
 * @module web/chat/receipt
 */
import { For, Show } from 'solid-js';
import type { Turn } from '../data/archive.ts';
import { download } from '../data/export.ts';
import { count, duration, moment, rate, t } from '../i18n/index.ts';
import { placeOf, speedOf } from './place-chip.tsx';

export function Receipt(props: { readonly turn: Turn }) {
  const answer = () => props.turn.answer;
  const receipt = () => answer().receipt;
  const backend = () => receipt()?.backend ?? answer().backend;
  const here = () => placeOf(answer()) === 'local';
  const model = () => receipt()?.model ?? answer().model;
  const time = (ms: number | null | undefined) =>
    typeof ms === 'number' ? <bdi>{duration(ms)}</bdi> : <span title={t('app.unknown')}>–</span>;
  const lede = () => {
    if (here()) return t('receipt.local');
    const other = backend();
    return other === null ? t('receipt.unknown') : t('receipt.elsewhere', { backend: other });
  };
  const more = () => {
    if (here()) return t('receipt.localMore', { model: model() ?? t('app.unknown') });
    return backend() === null ? t('receipt.unknownMore') : t('receipt.elsewhereMore');
  };
  const reading = () => {
    const usage = answer().usage;
    if (!usage) return null;
    const tokens = count(usage.prompt_tokens);
    return usage.cached_tokens === null
      ? t('receipt.readPlain', { tokens })
      : t('receipt.readMore', { tokens, cached: count(usage.cached_tokens) });
  };
  const wrote = () => {
    const usage = answer().usage;
    return usage ? t('receipt.wrote', { tokens: count(usage.completion_tokens) }) : t('receipt.wroteUnknown');
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
          <tr>
            <th scope="row">{t('receipt.here')}</th>
            <td class="yes">{t('receipt.yes')}</td>
            <td class="yes">{here() ? t('receipt.yes') : '–'}</td>
          </tr>
          <tr>
            <th scope="row">{t('receipt.others')}</th>
            <td class="no">{here() ? t('receipt.no') : t('app.unknown')}</td>
            <td class="no">{here() ? t('receipt.no') : t('app.unknown')}</td>
          </tr>
        </tbody>
      </table>
      <Show when={here()}>
        <p class="aside evidence">{t('receipt.evidence', { backend: backend()! })}</p>
      </Show>
      <h3>{t('receipt.happened')}</h3>
      <ol class="steps">
        <li>
          <span>{t('receipt.queued')}</span>
          <span class="time">{time(receipt()?.queue_ms)}</span>
        </li>
        <li>
          <span>{t('receipt.read')}</span>
          <span class="time">{time(receipt()?.prefill_ms)}</span>
          <span class="more">{reading()}</span>
        </li>
        <li>
          <span>{wrote()}</span>
          <span class="time">{time(receipt()?.decode_ms)}</span>
          <Show when={speedOf(answer())}>
            {(speed) => <span class="more">{t('receipt.rate', { rate: rate(speed()) })}</span>}
          </Show>
        </li>
      </ol>
      <Show when={(receipt()?.notes.length ?? 0) > 0}>
        <h3>{t('receipt.notes')}</h3>
        <ul class="notes">
          <For each={receipt()!.notes}>{(note) => <li dir="auto">{note}</li>}</For>
        </ul>
      </Show>
      <h3>{t('receipt.facts')}</h3>
      <dl class="facts">
        <dt>{t('receipt.model')}</dt>
        <dd>{model() ?? '–'}</dd>
        <dt>{t('receipt.backend')}</dt>
        <dd>{backend() ?? '–'}</dd>
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
