/**
 * What happened, in order: who was asked and what came of it, then the times that the answer itself took.
 *
 * @module web/chat/receipt/happened
 */
import { For, Show } from 'solid-js';
import type { Answer } from '../../data/archive.ts';
import { isFresh, localBackend, originOf, speedOf } from '../../data/origin.ts';
import type { Attempt } from '../../data/receipt.ts';
import { count, duration, ifKnown, rate, t } from '../../i18n/index.ts';

/** Waits shorter than this (ms) are no news. */
const shownWaitMs = 1;

const time = (ms: number | null | undefined) =>
  typeof ms === 'number' ? <bdi>{duration(ms)}</bdi> : <span title={t('app.unknown')}>–</span>;

export function Happened(props: { readonly answer: Answer }) {
  const answer = () => props.answer;
  const receipt = () => answer().receipt;
  const fresh = () => isFresh(originOf(answer()));
  const unknown = () => originOf(answer()).kind === 'unknown';
  const attempts = () => receipt()?.route?.attempts ?? [];
  /** One ask of the engine here is told by its own times. */
  const told = () => attempts().length > 1 || attempts().some(({ backend }) => backend !== localBackend);
  /** The engine's own steps; others seldom tell theirs. */
  const timed = () =>
    originOf(answer()).kind === 'local' ||
    [receipt()?.queue_ms, receipt()?.prefill_ms].some((ms) => typeof ms === 'number');
  const reading = () => {
    const { usage } = answer();
    if (!usage) return null;
    const tokens = count(usage.prompt_tokens);
    return usage.cached_tokens === null
      ? t('receipt.readPlain', { tokens })
      : t('receipt.readMore', { tokens, cached: count(usage.cached_tokens) });
  };
  const wrote = () => {
    const { usage } = answer();
    return usage ? t('receipt.wrote', { tokens: count(usage.completion_tokens) }) : t('receipt.wroteUnknown');
  };
  return (
    <>
      <Show when={told()}>
        <h3>{t('receipt.tried')}</h3>
        <ol class="steps attempts">
          <For each={attempts()}>{(attempt) => <AttemptRow attempt={attempt} />}</For>
        </ol>
      </Show>
      <Show when={fresh() || unknown()} fallback={<First answer={answer()} />}>
        <h3>{told() ? t('receipt.answer') : t('receipt.happened')}</h3>
        <ol class="steps">
          <Show when={timed()} fallback={<Read reading={reading()} />}>
            <li>
              <span>{t('receipt.queued')}</span>
              <span class="time">{time(receipt()?.queue_ms)}</span>
            </li>
            <li>
              <span>{t('receipt.read')}</span>
              <span class="time">{time(receipt()?.prefill_ms)}</span>
              <span class="more">{reading()}</span>
            </li>
          </Show>
          <li>
            <span>{wrote()}</span>
            <span class="time">{time(receipt()?.decode_ms)}</span>
            <Show when={speedOf(answer())}>
              {(speed) => <span class="more">{t('receipt.rate', { rate: rate(speed()) })}</span>}
            </Show>
            <Show when={receipt() && !answer().usage}>
              <span class="more">{t('receipt.uncounted')}</span>
            </Show>
          </li>
        </ol>
      </Show>
    </>
  );
}

function Read(props: { readonly reading: string | null }) {
  return (
    <Show when={props.reading}>
      {(words) => (
        <li>
          <span>{t('receipt.question')}</span>
          <span class="time" />
          <span class="more">{words()}</span>
        </li>
      )}
    </Show>
  );
}

/** What a kept answer was like when it was made; nothing to tell where no model answered. */
function First(props: { readonly answer: Answer }) {
  const kept = () => ['kept', 'similar', 'shared', 'stale'].includes(originOf(props.answer).kind);
  return (
    <Show when={kept() && props.answer.usage}>
      {(usage) => (
        <>
          <h3>{t('receipt.made')}</h3>
          <ol class="steps">
            <Read reading={t('receipt.readPlain', { tokens: count(usage().prompt_tokens) })} />
            <li>
              <span>{t('receipt.wrote', { tokens: count(usage().completion_tokens) })}</span>
              <span class="time">{time(props.answer.receipt?.decode_ms)}</span>
            </li>
          </ol>
        </>
      )}
    </Show>
  );
}

const REASON: Readonly<Record<string, string>> = {
  'first choice': 'first',
  failover: 'next',
  retry: 'again',
  'stale connection': 'reconnect',
  'larger context': 'larger',
  hedge: 'hedge',
  redundant: 'beside',
  continuation: 'on',
  replay: 'anew',
};

function AttemptRow(props: { readonly attempt: Attempt }) {
  const attempt = () => props.attempt;
  const skipped = () => attempt().outcome === 'skipped';
  const reason = () => ifKnown(`receipt.reason.${REASON[attempt().reason] ?? ''}`) ?? attempt().reason;
  const outcome = () => ifKnown(`receipt.outcome.${attempt().outcome}`) ?? attempt().outcome;
  const why = () => {
    const { code } = attempt();
    return code === null ? null : ifKnown(`receipt.why.${code}`);
  };
  const began = () => attempt().first_token_ms;
  return (
    <li data-outcome={attempt().outcome}>
      <span class="who">{attempt().backend}</span>
      <span class="time">
        <Show when={!skipped()} fallback="–">
          {time(attempt().ms)}
        </Show>
      </span>
      <span class="more">
        {t('receipt.attempt', { model: attempt().model, reason: reason() })}
        <Show when={(attempt().wait_ms ?? 0) >= shownWaitMs}>
          {' '}
          <bdi>{t('receipt.waited', { time: duration(attempt().wait_ms!) })}</bdi>
        </Show>
      </span>
      <span class="more outcome">
        <Show when={why()} fallback={outcome()}>
          {(words) => t('receipt.because', { outcome: outcome(), why: words() })}
        </Show>
        <Show when={attempt().code}>
          {' '}
          <code>{attempt().code}</code>
        </Show>
      </span>
      <Show when={typeof began() === 'number' && attempt().outcome === 'answered'}>
        <span class="more">{t('receipt.began', { time: duration(began()!) })}</span>
      </Show>
    </li>
  );
}
