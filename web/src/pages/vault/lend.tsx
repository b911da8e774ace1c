/**
 * The space that this node lends: how much, to whom, who keeps something here, and what its owner sees of that.
 *
 * @module web/pages/vault/lend
 */
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { Snippet } from '../../base/copy.tsx';
import { ErrorNote } from '../../base/error-note.tsx';
import { count, size } from '../../i18n/index.ts';
import type { StorageView } from './desk.ts';
import { Tenants } from './tenants.tsx';
import { vault } from './vault-state.ts';
import { v } from './words.ts';

const TIERS = ['nobody', 'trusted', 'verified', 'known', 'unknown'] as const;
type Whom = (typeof TIERS)[number];
const whomOf = (tier: string): Whom => TIERS.find((one) => one === tier) ?? 'nobody';

export function Lend() {
  const id = createUniqueId();
  return (
    <section class="lend" aria-labelledby={id}>
      <h2 id={id}>{v('lend.title')}</h2>
      <Show when={vault.storageFault}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={vault.storage}>
        {(storage) => (
          <Show
            when={storage().enabled || storage().tenants.length > 0}
            fallback={<Off storage={storage()} />}
          >
            <On storage={storage()} />
          </Show>
        )}
      </Show>
    </section>
  );
}

function Off(props: { readonly storage: StorageView }) {
  return (
    <>
      <p class="sub">{v('lend.off')}</p>
      <Show when={!props.storage.swarm}>
        <p class="sub">{v('lend.offSwarm')}</p>
      </Show>
      <Command title={v('lend.how')} swarm={props.storage.swarm} />
    </>
  );
}

const AMOUNTS = [10, 50, 100, 200, 500, 1000];
const EACH = [1, 2, 5, 10, 20, 50];
const GB = 1e9;

/** Settings are changed in a terminal: what is chosen becomes the command. */
function Command(props: {
  readonly title: string;
  readonly swarm: boolean;
  /** What is lent now. */
  readonly storage?: StorageView;
}) {
  const id = createUniqueId();
  const nearest = (all: readonly number[], bytes: number | undefined, otherwise: number) =>
    bytes === undefined ? otherwise : (all.find((gb) => gb * GB >= bytes) ?? all.at(-1)!);
  const [much, setMuch] = createSignal(nearest(AMOUNTS, props.storage?.capacityBytes, 50));
  const [each, setEach] = createSignal(nearest(EACH, props.storage?.tenantBytes, 5));
  const [whom, setWhom] = createSignal<Whom>(whomOf(props.storage?.serveTier ?? 'nobody'));
  const lines = () =>
    [
      ...(!props.swarm ? ['kith config set swarm.enabled true'] : []),
      `kith storage init --capacity ${much()}GB --tenant ${Math.min(each(), much())}GB --tier ${whom()}`,
      'kith stop',
      'kith start',
    ].join('\n');
  const Amount = (one: {
    readonly at: string;
    readonly label: string;
    readonly of: readonly number[];
    readonly value: number;
    readonly set: (gb: number) => void;
  }) => (
    <div class="field">
      <label for={`${id}-${one.at}`}>{one.label}</label>
      <select
        id={`${id}-${one.at}`}
        class="input"
        onChange={(event) => one.set(Number(event.currentTarget.value))}
      >
        <For each={one.of}>
          {(gb) => (
            <option value={gb} selected={gb === one.value}>
              {size(gb * GB)}
            </option>
          )}
        </For>
      </select>
    </div>
  );
  return (
    <div class="command">
      <h3>{props.title}</h3>
      <p class="aside">{v('lend.howMore')}</p>
      <div class="amounts">
        <Amount at="much" label={v('lend.much')} of={AMOUNTS} value={much()} set={setMuch} />
        <Amount at="each" label={v('lend.each')} of={EACH} value={each()} set={setEach} />
        <div class="field">
          <label for={`${id}-whom`}>{v('lend.whom')}</label>
          <select
            id={`${id}-whom`}
            class="input"
            onChange={(event) => setWhom(whomOf(event.currentTarget.value))}
          >
            <For each={TIERS}>
              {(tier) => (
                <option value={tier} selected={tier === whom()}>
                  {v(`lend.whoms.${tier}`)}
                </option>
              )}
            </For>
          </select>
        </div>
      </div>
      <Snippet text={lines()} />
    </div>
  );
}

function On(props: { readonly storage: StorageView }) {
  const one = () => props.storage;
  const left = () => Math.max(0, one().capacityBytes - one().promisedBytes);
  const whom = () => {
    const { serveTier, friends } = one();
    const known = friends === 1 ? v('lend.friendsOne') : v('lend.friends', { count: count(friends) });
    return `${v(`lend.whoms.${whomOf(serveTier)}`)} (${known})`;
  };
  return (
    <>
      <p class="sub">{v('lend.on')}</p>
      <Bar storage={one()} />
      <dl class="figure-strip figures">
        <Figure name={v('lend.capacity')} value={size(one().capacityBytes)}>
          {v('lend.eachShort', { size: size(one().tenantBytes) })}
        </Figure>
        <Figure name={v('lend.promised')} value={size(one().promisedBytes)}>
          {v('lend.free', { size: size(left()) })}
        </Figure>
        <Figure name={v('lend.answered')} value={count(one().counters.answered)}>
          {v('lend.refused', { count: count(one().counters.refused) })}
        </Figure>
        <Figure name={v('lend.traffic')} value={size(one().counters.bytesIn)}>
          {v('lend.out', { size: size(one().counters.bytesOut) })}
        </Figure>
      </dl>
      <Show when={Object.keys(one().counters.refusals).length > 0}>
        <p class="aside figures">
          {v('lend.refusals')}{' '}
          {Object.entries(one().counters.refusals)
            .map(([code, times]) => `${code} ${count(times)}`)
            .join(', ')}
        </p>
      </Show>
      <p class="aside">
        {v('lend.whom')}: {whom()}.{' '}
        {v('lend.terms', { days: count(one().days), grace: count(one().graceDays) })}
      </p>
      <Show when={one().serveTier === 'nobody' && one().friends === 0}>
        <p class="warning">{v('lend.friendsNone')}</p>
      </Show>
      <Show when={!one().swarm}>
        <p class="warning">{v('lend.offSwarm')}</p>
      </Show>
      <Tenants tenants={one().tenants} />
      <div class="sees">
        <h3>{v('lend.sees')}</h3>
        <p class="sub">{v('lend.seesMore')}</p>
      </div>
      <details>
        <summary>{v('lend.change')}</summary>
        <Command title={v('lend.how')} swarm={one().swarm} storage={one()} />
        <p class="aside">{v('lend.stop')}</p>
      </details>
    </>
  );
}

function Figure(props: { readonly name: string; readonly value: string; readonly children: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <span class="value">
          <bdi>{props.value}</bdi>
        </span>
        <span class="note-line">{props.children}</span>
      </dd>
    </div>
  );
}

const WIDTH = 1000;

function Bar(props: { readonly storage: StorageView }) {
  const share = (bytes: number) =>
    Math.min(WIDTH, (bytes / Math.max(1, props.storage.capacityBytes)) * WIDTH);
  return (
    <svg
      class="space-bar"
      role="img"
      aria-label={v('lend.bar', {
        used: size(props.storage.usedBytes),
        promised: size(props.storage.promisedBytes),
        capacity: size(props.storage.capacityBytes),
      })}
      viewBox={`0 0 ${WIDTH} 1`}
      preserveAspectRatio="none"
    >
      <rect class="track" width={WIDTH} height="1" />
      <rect class="promised" width={share(props.storage.promisedBytes)} height="1" />
      <rect class="used" width={share(props.storage.usedBytes)} height="1" />
    </svg>
  );
}
