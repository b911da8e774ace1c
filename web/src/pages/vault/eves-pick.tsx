/**
 * Who is asked to keep something: peers that announce it and those that are named, with what they lend, to choose from.
 *
 * @module web/pages/vault/eves-pick
 */
import { createSignal, createUniqueId, For, onMount, Show } from 'solid-js';
import { createStore } from 'solid-js/store';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { count, duration, size, t } from '../../i18n/index.ts';
import { discover, type EveView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { createPeerEntry, PeerField, PeerHint } from './peer-field.tsx';
import { v } from './words.ts';

interface Choice {
  readonly chosen: boolean;
  /** Who runs it; empty: nobody was named. */
  readonly operator: string;
}
type Candidate = EveView & Choice;

export interface Picking {
  readonly all: () => readonly Candidate[];
  readonly chosen: () => readonly Candidate[];
  /** As orders take them: `Name=PeerId` where somebody was named. */
  readonly named: () => string[];
  /** What was learned of peers joins what is known of others. */
  take(told: readonly EveView[]): void;
  choose(peer: string, choice: Partial<Choice>): void;
}

/** @param except those that have it already */
export function createPicking(except: () => readonly string[] = () => []): Picking {
  const [state, set] = createStore<{ all: Candidate[] }>({ all: [] });
  const all = () => state.all.filter(({ peer }) => !except().includes(peer));
  const chosen = () => all().filter((one) => one.chosen);
  return {
    all,
    chosen,
    named: () =>
      chosen().map(({ peer, operator }) => (operator.trim() === '' ? peer : `${operator.trim()}=${peer}`)),
    take(told) {
      set('all', (had) => {
        const known = new Map(had.map((one) => [one.peer, one]));
        for (const one of told) {
          const { chosen = false, operator = '' } = known.get(one.peer) ?? {};
          known.set(one.peer, { ...one, chosen: chosen && one.open, operator });
        }
        return [...known.values()];
      });
    },
    choose: (peer, choice) => set('all', (one) => one.peer === peer, choice),
  };
}

export function EvesPick(props: { readonly picking: Picking; readonly label: string }) {
  const id = createUniqueId();
  const entry = createPeerEntry();
  const [asked, setAsked] = createSignal(false);
  const deed = createDeed();
  const ask = (peers: readonly string[]) =>
    deed.run(async () => {
      props.picking.take(await discover(peers));
      setAsked(true);
    });
  onMount(() => void ask([]));
  const askOne = async () => {
    const named = entry.checked();
    if (named !== null && (await ask([named]))) {
      entry.set('');
      props.picking.choose(named, {
        chosen: props.picking.all().some((one) => one.peer === named && one.open),
      });
    }
  };
  return (
    <div class="picking">
      <Show
        when={props.picking.all().length > 0}
        fallback={
          <p class="nothing" role="status">
            <Show when={asked()} fallback={deed.fault() === null ? v('place.asking') : ''}>
              {v('place.evesNone')}
            </Show>
          </p>
        }
      >
        <ul class="candidates" aria-label={props.label}>
          <For each={props.picking.all()}>{(one) => <Row one={one} picking={props.picking} />}</For>
        </ul>
      </Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div class="line-form">
        <PeerField id={id} label={v('place.peer')} entry={entry} enter={() => void askOne()} />
        <div class="pair-acts">
          <button
            type="button"
            class="button"
            disabled={deed.busy() || entry.value().trim() === ''}
            onClick={() => void askOne()}
          >
            {v('place.peerAsk')}
          </button>
          <button type="button" class="button" disabled={deed.busy()} onClick={() => void ask([])}>
            {deed.busy() ? v('restore.looking') : v('place.ask')}
          </button>
        </div>
      </div>
      <PeerHint id={id} entry={entry} hint={v('place.peerHint')} />
    </div>
  );
}

function Row(props: { readonly one: Candidate; readonly picking: Picking }) {
  const id = createUniqueId();
  const { peer } = props.one;
  const facts = () => {
    const { freeBytes, largestBytes, days, ms } = props.one;
    const told: [string, string][] = [];
    if (freeBytes !== null) told.push([v('place.lends'), size(freeBytes)]);
    if (largestBytes !== null) told.push([v('place.atMost'), size(largestBytes)]);
    if (days !== null) told.push([v('place.days'), count(days)]);
    if (ms !== null) told.push([v('place.answers'), duration(ms)]);
    return told;
  };
  return (
    <li class="candidate" data-peer={peer} classList={{ chosen: props.one.chosen }}>
      <label class="check">
        <input
          type="checkbox"
          aria-label={v('place.choose', { peer: shortPeer(peer) })}
          checked={props.one.chosen}
          disabled={!props.one.open}
          onChange={(event) => props.picking.choose(peer, { chosen: event.currentTarget.checked })}
        />
        <span>
          <bdi class="peer-id" title={peer}>
            {shortPeer(peer)}
          </bdi>
          <span class="more figures">{t(`network.tiers.${props.one.standing.tier}`)}</span>
          <Show when={props.one.standing.poor}>
            <span class="more poor">{v('kb.poor')}</span>
          </Show>
        </span>
      </label>
      <Show
        when={props.one.open}
        fallback={
          <p class="refusal" dir="auto">
            {props.one.trouble ?? v('place.closed')}
          </p>
        }
      >
        <dl class="offer figures">
          <For each={facts()}>
            {([name, value]) => (
              <div>
                <dt>{name}</dt>
                <dd>
                  <bdi>{value}</bdi>
                </dd>
              </div>
            )}
          </For>
        </dl>
      </Show>
      <Show when={props.one.chosen}>
        <div class="field who">
          <label for={id}>{v('place.name')}</label>
          <input
            id={id}
            class="input"
            dir="auto"
            autocomplete="off"
            spellcheck={false}
            maxlength="100"
            placeholder={v('place.namePlaceholder')}
            aria-label={v('place.nameOf', { peer: shortPeer(peer) })}
            value={props.one.operator}
            onInput={(event) => props.picking.choose(peer, { operator: event.currentTarget.value })}
          />
        </div>
      </Show>
    </li>
  );
}
