/**
 * How this node is: a sentence, four figures, then what is in memory and what it runs on. What the node does not know
 * is a dash.
 *
 * @module web/pages/status
 */
import { createEffect, Show } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { Snippet } from '../../base/copy.tsx';
import { Sparkline } from '../../base/sparkline.tsx';
import { Preparing } from '../../chat/preparing.tsx';
import { node, rateOf } from '../../data/node-state.ts';
import { count, moment, rate, size, t } from '../../i18n/index.ts';
import { Backends } from './backends.tsx';
import { Models, NodeFacts } from './node-tables.tsx';
import { RecentReceipts } from './recent-receipts.tsx';
import '../pages.css';

type Health = NonNullable<typeof node.health>;

export default function StatusPage() {
  createEffect(() => {
    document.title = `${t('pages.status')} · Kith`;
  });
  return (
    <div class="page">
      <Banner />
      <div class="page-body">
        <Lede />
        <Preparing />
        <Show when={node.health}>
          {(health) => (
            <>
              <Figures health={health()} />
              <Models health={health()} />
              <Show when={health().backends.length > 1}>
                <Backends health={health()} />
              </Show>
              <NodeFacts health={health()} />
            </>
          )}
        </Show>
        <RecentReceipts />
      </div>
    </div>
  );
}

function Lede() {
  const active = () => node.health?.requests.active ?? 0;
  const first = () => {
    if (node.link === 'connecting') return t('chat.connecting');
    if (node.link === 'hidden' || node.link === 'denied') return t(`machine.${node.link}`);
    if (node.link !== 'up' || node.health === null) return t('status.down');
    return t(`status.${node.health.status}`);
  };
  const then = () => {
    if (node.link !== 'up' && node.link !== 'down') return '';
    if (node.link !== 'up' || node.health === null) {
      const last = node.samples.at(-1);
      return last ? t('status.downMore', { when: moment(last.at) }) : t('status.downNever');
    }
    if (node.health.message !== null) return node.health.message;
    if (active() === 0) return t('status.okIdle');
    return active() === 1 ? t('status.okBusyOne') : t('status.okBusy', { count: count(active()) });
  };
  return (
    <>
      <h1 class="lede">
        {first()} <span class="then">{then()}</span>
      </h1>
      <Show when={node.link === 'down' && node.health === null}>
        <Snippet text="kith start" />
      </Show>
    </>
  );
}

function Figures(props: { readonly health: Health }) {
  const speed = () => rateOf(props.health);
  const waiting = () => props.health.models.reduce((sum, { waiting }) => sum + (waiting ?? 0), 0);
  const busy = () => props.health.models.reduce((sum, { active }) => sum + (active ?? 0), 0);
  const memory = () => props.health.memory;
  return (
    <dl class="figure-strip figures">
      <div>
        <dt>{t('status.rate')}</dt>
        <dd>
          <span class="value">
            <bdi>{speed() === null ? '–' : rate(speed()!)}</bdi>
            <span class="unit">{t('status.rateUnit')}</span>
          </span>
          <Show when={speed() === null}>
            <span class="note-line">{t('status.rateNone')}</span>
          </Show>
          <Sparkline values={node.samples.map((sample) => sample.rate)} live={busy() > 0} />
        </dd>
      </div>
      <div>
        <dt>{t('status.queue')}</dt>
        <dd>
          <span class="value">
            <bdi>{count(busy())}</bdi>
            <span class="unit">{t('status.queueUnit', { max: count(props.health.limits.max_active) })}</span>
          </span>
          <span class="note-line">{t('status.waiting', { count: count(waiting()) })}</span>
        </dd>
      </div>
      <div>
        <dt>{t('status.memory')}</dt>
        <dd>
          <span class="value">
            <bdi>{memory().engine_bytes === null ? '–' : size(memory().engine_bytes!)}</bdi>
            <span class="unit">{t('status.memoryUnit', { total: size(memory().total_bytes) })}</span>
          </span>
          <Sparkline values={node.samples.map((sample) => sample.engineBytes)} />
        </dd>
      </div>
      <div>
        <dt>{t('status.requests')}</dt>
        <dd>
          <span class="value">
            <bdi>{count(props.health.requests.total)}</bdi>
            <span class="unit">{t('status.requestsUnit')}</span>
          </span>
          <span class="note-line">
            {t('status.refused', { count: count(props.health.requests.refused) })}
          </span>
        </dd>
      </div>
    </dl>
  );
}
