/**
 * How far this node trusts a peer: the tier in words, what the score is made of term by term, and the owner's own word.
 *
 * @module web/pages/network/trust
 */
import { createEffect, createSignal, For, on, onCleanup, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Confirm } from '../../base/confirm.tsx';
import { Snippet } from '../../base/copy.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { unlocked } from '../../data/owner.ts';
import { count, fraction, ifKnown, moment, t } from '../../i18n/index.ts';
import { endorse, type PeerTrust, type PeerView, shortPeer, trustOf, unendorse } from './swarm.ts';

export function Trust(props: { readonly peer: PeerView }) {
  const looking = createDeed();
  const [told, setTold] = createSignal<PeerTrust | null>(null);
  let gone = false;
  onCleanup(() => {
    gone = true;
  });
  // What changed is known by the score and the tier, which come with every look at the peers.
  createEffect(
    on(
      () => [props.peer.peer, props.peer.score, props.peer.tier] as const,
      ([peer]) => {
        if (told()?.peer !== peer) setTold(null);
        void looking.run(async () => {
          const found = await trustOf(peer);
          if (!gone && props.peer.peer === peer) setTold(found);
        });
      },
    ),
  );
  const tier = () => props.peer.tier;
  return (
    <section>
      <h2 id="trust">{t('network.trust')}</h2>
      <p class="trust-line">
        <span class={`spot-mark ${tier()}`} aria-hidden="true" />
        <span class={`tier ${tier()}`}>{t(`network.tiers.${tier()}`)}</span>
        <span class="more">{t('network.score', { score: fraction(props.peer.score) })}</span>
      </p>
      <p class="sub">{t(`network.tierMeans.${tier()}`)}</p>
      <Show when={told()}>{(trust) => <Terms trust={trust()} />}</Show>
      <Show when={looking.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={unlocked() && told()}>{(trust) => <Word trust={trust()} took={setTold} />}</Show>
      <details class="formula">
        <summary>{t('network.formula')}</summary>
        <p>
          <code>score = M · S · A · [C + (1 − C) · 0.35 · (r + (1 − c) · 0.25 · p)]</code>
        </p>
        <Snippet text={`kith reputation show ${props.peer.peer}`} />
      </details>
    </section>
  );
}

const SYMBOLS: Readonly<Record<string, string>> = {
  credentials: 'C',
  endorsements: 'E',
  observations: 'r',
  confidence: 'c',
  rank: 'p',
  moderation: 'M',
  strikes: 'S',
  accountability: 'A',
};

function Terms(props: { readonly trust: PeerTrust }) {
  const name = (term: string) => ifKnown(`network.termNames.${term}`) ?? term;
  return (
    <>
      <For each={props.trust.gates}>
        {(gate) => (
          <p class="gate" dir="auto">
            {gate}
          </p>
        )}
      </For>
      <Show when={props.trust.quarantineUntil}>
        {(until) => <p class="gate">{t('network.quarantine', { when: moment(until()) })}</p>}
      </Show>
      <dl class="terms" aria-labelledby="trust">
        <For each={props.trust.terms}>
          {(term) => (
            <div>
              <dt>
                <span>{name(term.name)}</span> <span class="symbol">{SYMBOLS[term.name] ?? ''}</span>
              </dt>
              <dd class="amount">
                <meter min="0" max="1" value={term.value} aria-hidden="true" />
                <bdi>{fraction(term.value)}</bdi>
              </dd>
              <dd class="made-of" dir="auto">
                {term.detail}
              </dd>
            </div>
          )}
        </For>
      </dl>
    </>
  );
}

/** The owner's signed word for the peer, given and taken back after a question. */
function Word(props: { readonly trust: PeerTrust; readonly took: (trust: PeerTrust) => void }) {
  const [asking, setAsking] = createSignal(false);
  const peer = () => shortPeer(props.trust.peer);
  const run = async () => {
    const ends = props.trust.endorsed;
    props.took(await (ends ? unendorse(props.trust.peer) : endorse(props.trust.peer)));
    announce(t(ends ? 'network.unendorsed' : 'network.endorsedNow', { peer: peer() }));
  };
  return (
    <div class="word">
      <p class="aside">
        {props.trust.endorsed
          ? t('network.endorsed')
          : props.trust.dealings === 0
            ? t('network.dealtNever')
            : t('network.dealt', { count: count(props.trust.dealings) })}
      </p>
      <Show when={props.trust.endorsed || props.trust.dealings > 0}>
        <button type="button" class="button" onClick={() => setAsking(true)}>
          {props.trust.endorsed ? t('network.unendorse') : t('network.endorse')}
        </button>
      </Show>
      <Show when={asking()}>
        <Confirm
          title={t(props.trust.endorsed ? 'network.unendorseTitle' : 'network.endorseTitle', {
            peer: peer(),
          })}
          act={t(props.trust.endorsed ? 'network.unendorse' : 'network.endorse')}
          mild={!props.trust.endorsed}
          run={run}
          close={() => setAsking(false)}
        >
          <p>{t(props.trust.endorsed ? 'network.unendorseMore' : 'network.endorseMore')}</p>
        </Confirm>
      </Show>
    </div>
  );
}
