/**
 * Which peers may search a knowledge base: grants that its owner gave, and a new one.
 *
 * @module web/pages/knowledge/share/given
 */
import { createResource, createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { Confirm } from '../../../base/confirm.tsx';
import { Copy, Snippet } from '../../../base/copy.tsx';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { node } from '../../../data/node-state.ts';
import { count, moment } from '../../../i18n/index.ts';
import { told } from '../graph/told.ts';
import { type GivenGrant, give, grants, knownPeers, revoke } from './desk.ts';
import { s } from './words.ts';

const DAY_MS = 86_400_000;
const TIMES = { d1: DAY_MS, d7: 7 * DAY_MS, d30: 30 * DAY_MS, d365: 365 * DAY_MS } as const;
type Time = keyof typeof TIMES;
/** Grants that are over and shown. */
const OVER = 20;

/** The end of a PeerId tells peers apart. */
export const shortPeer = (peer: string): string => `…${peer.slice(-8)}`;

export function Given(props: { readonly kb: string }) {
  const id = createUniqueId();
  const [found, { refetch }] = createResource(grants);
  const [ending, setEnding] = createSignal<GivenGrant | null>(null);
  const own = () => told(found)?.given.filter(({ kb }) => kb === props.kb) ?? [];
  const holding = () => own().filter(({ state }) => state === 'holds' || state === 'to_come');
  const over = () => own().filter(({ state }) => state === 'expired' || state === 'revoked');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{s('with')}</h2>
      <p class="sub">{s('withMore')}</p>
      <Show when={found.error}>
        <ErrorNote fault={faultIn(found.error)}>
          <button type="button" class="button" onClick={() => void refetch()}>
            {s('again')}
          </button>
        </ErrorNote>
      </Show>
      <Show when={told(found)}>
        <Show when={holding().length > 0} fallback={<p class="nobody">{s('none')}</p>}>
          <ul class="grants" aria-label={s('list')}>
            <For each={holding()}>{(grant) => <Grant grant={grant} end={() => setEnding(grant)} />}</For>
          </ul>
        </Show>
        <GiveForm kb={props.kb} given={async () => void (await refetch())} />
        <Show when={over().length > 0}>
          <details class="earlier">
            <summary>{s('earlier')}</summary>
            <ul class="grants">
              <For each={over().slice(0, OVER)}>{(grant) => <Grant grant={grant} end={null} />}</For>
            </ul>
          </details>
        </Show>
      </Show>
      <Show when={ending()}>
        {(grant) => (
          <Confirm
            title={s('revokeTitle')}
            act={s('revoke')}
            close={() => setEnding(null)}
            run={async () => {
              await revoke(grant().id);
              announce(s('revoked', { peer: shortPeer(grant().holder) }));
              await refetch();
            }}
          >
            <p class="breaking">{s('revokeMore', { peer: grant().holder, kb: props.kb })}</p>
          </Confirm>
        )}
      </Show>
    </section>
  );
}

function Grant(props: { readonly grant: GivenGrant; readonly end: (() => void) | null }) {
  const one = () => props.grant;
  const what = () => {
    const { filter, rights } = one();
    const parts = [...(filter?.paths ?? []), ...(filter?.tags ?? []).map((tag) => `#${tag}`)];
    const all = parts.length === 0 ? s('all') : s('only', { what: parts.join(', ') });
    return rights.includes('answer') ? `${all}, ${s('mayAnswer')}` : all;
  };
  return (
    <li>
      <span class="pair">
        <bdi dir="ltr" class="mono" title={one().holder}>
          {shortPeer(one().holder)}
        </bdi>{' '}
        <bdi>{what()}</bdi>{' '}
        <span class="figures grant-state" data-state={one().state}>
          {s(`states.${one().state}`, { until: moment(one().until), from: moment(one().from) })}
        </span>
        <span class="more figures">
          {one().used === 0
            ? s('unused')
            : s('used', { count: count(one().used), at: moment(one().usedAt ?? 0) })}
        </span>
        <Show when={one().refused > 0}>
          <span class="more bad" dir="auto">
            {s('refused', { count: count(one().refused), why: one().refusedWhy ?? '' })}
          </span>
        </Show>
      </span>
      <Show when={props.end}>
        {(end) => (
          <span class="grant-acts">
            <Copy text={() => one().text} label={s('line')} />
            <button
              type="button"
              class="button"
              aria-label={s('revokeOf', { peer: shortPeer(one().holder) })}
              onClick={() => end()()}
            >
              {s('revoke')}
            </button>
          </span>
        )}
      </Show>
    </li>
  );
}

function GiveForm(props: { readonly kb: string; readonly given: () => Promise<void> }) {
  const id = createUniqueId();
  const [peer, setPeer] = createSignal('');
  const [path, setPath] = createSignal('');
  const [tag, setTag] = createSignal('');
  const [time, setTime] = createSignal<Time>('d30');
  const [answers, setAnswers] = createSignal(false);
  const [line, setLine] = createSignal<string | null>(null);
  const [peers] = createResource(() => node.health?.swarm.state === 'running', knownPeers);
  const deed = createDeed();
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      setLine(null);
      const paths = path().trim().replace(/^\/+/, '');
      const tags = tag().trim().replace(/^#/, '');
      const filter = {
        ...(paths === '' ? {} : { paths: [paths] }),
        ...(tags === '' ? {} : { tags: [tags] }),
      };
      const made = await give(props.kb, {
        with: peer().trim(),
        rights: answers() ? ['answer', 'search'] : ['search'],
        forMs: TIMES[time()],
        ...(Object.keys(filter).length === 0 ? {} : { filter }),
      });
      setLine(made.text);
      setPeer('');
      await props.given();
    });
  };
  return (
    <form class="give-form" onSubmit={go}>
      <div class="field wide">
        <label for={`${id}-peer`}>{s('peer')}</label>
        <input
          id={`${id}-peer`}
          class="input mono"
          dir="ltr"
          list={`${id}-peers`}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxlength="128"
          aria-describedby={`${id}-hint`}
          value={peer()}
          onInput={(event) => setPeer(event.currentTarget.value)}
        />
        <datalist id={`${id}-peers`}>
          <For each={peers()}>{(one) => <option value={one} />}</For>
        </datalist>
        <span class="hint" id={`${id}-hint`}>
          {s('peerHint')}
        </span>
      </div>
      <div class="field">
        <label for={`${id}-path`}>{s('part')}</label>
        <input
          id={`${id}-path`}
          class="input"
          dir="ltr"
          spellcheck={false}
          maxlength="500"
          aria-describedby={`${id}-part`}
          value={path()}
          onInput={(event) => setPath(event.currentTarget.value)}
        />
        <span class="hint" id={`${id}-part`}>
          {s('partHint')}
        </span>
      </div>
      <div class="field">
        <label for={`${id}-tag`}>{s('tag')}</label>
        <input
          id={`${id}-tag`}
          class="input"
          dir="auto"
          spellcheck={false}
          maxlength="400"
          value={tag()}
          onInput={(event) => setTag(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for={`${id}-time`}>{s('until')}</label>
        <select
          id={`${id}-time`}
          class="input"
          value={time()}
          onChange={(event) => setTime(event.currentTarget.value as Time)}
        >
          <For each={Object.keys(TIMES) as Time[]}>
            {(one) => <option value={one}>{s(`times.${one}`)}</option>}
          </For>
        </select>
      </div>
      <label class="check wide">
        <input
          type="checkbox"
          checked={answers()}
          onChange={(event) => setAnswers(event.currentTarget.checked)}
        />
        {s('rights')}
      </label>
      <button type="submit" class="button strong" disabled={deed.busy() || peer().trim() === ''}>
        {s('give')}
      </button>
      <Show when={deed.fault()}>
        {(fault) => (
          <div class="wide">
            <ErrorNote fault={fault()} />
          </div>
        )}
      </Show>
      <Show when={line()}>
        {(text) => (
          <div class="wide" role="status" aria-label={s('givenLabel')}>
            <p>{s('given')}</p>
            <Snippet text={text()} />
          </div>
        )}
      </Show>
    </form>
  );
}
