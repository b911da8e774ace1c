/**
 * The start of a conversation: what is ready, the composer, and for a first visit the ways on that exist.
 *
 * @module web/chat/hello
 */
import Box from 'lucide-solid/icons/box';
import ChevronRight from 'lucide-solid/icons/chevron-right';
import Plug from 'lucide-solid/icons/plug';
import Sparkle from 'lucide-solid/icons/sparkle';
import { For, type JSX, Show } from 'solid-js';
import { machineState } from '../app/rail.tsx';
import { Snippet } from '../base/copy.tsx';
import { HereGlyph, UnknownGlyph } from '../base/icons.tsx';
import { conversations } from '../data/conversations.ts';
import { defaultModel, node } from '../data/node-state.ts';
import { size, t } from '../i18n/index.ts';
import { Preparing } from './preparing.tsx';

/** A model that plain computers run well; docs/models.md has more. */
const largerModel = 'hf:Qwen/Qwen2.5-3B-Instruct-GGUF/qwen2.5-3b-instruct-q4_0.gguf';

export function Hello(props: {
  readonly model: string | null;
  readonly children: JSX.Element;
  readonly send: (question: string) => void;
}) {
  const model = () => props.model ?? defaultModel();
  const loaded = () => node.health?.models.some(({ id }) => id === model()) ?? false;
  /** Nobody but this machine's engine could have the model. */
  const alone = () => (node.health?.backends.length ?? 0) <= 1;
  const line = () => {
    const state = machineState();
    const id = model();
    if (node.link === 'connecting') return t('chat.connecting');
    if (id === null) return node.link === 'up' ? t('chat.noModel') : t(`machine.${state}`);
    if (state === 'starting') return t('chat.starting', { model: id });
    if (state === 'ready' || state === 'answering')
      return t(loaded() ? 'chat.ready' : alone() ? 'chat.loadable' : 'chat.usable', { model: id });
    return t(`machine.${state}`);
  };
  const good = () => machineState() === 'ready' || machineState() === 'answering';
  const first = () => conversations()?.length === 0;
  return (
    <div class="hello">
      <p class="promise-line" classList={{ pending: !good() }} role="status">
        <Show when={good() && (loaded() || alone())} fallback={<UnknownGlyph />}>
          <HereGlyph />
        </Show>
        <span>{line()}</span>
      </p>
      <h1>{t('chat.hello')}</h1>
      {props.children}
      <Preparing />
      <Show when={first()}>
        <Ways send={props.send} />
      </Show>
    </div>
  );
}

function Ways(props: { readonly send: (question: string) => void }) {
  const base = `${location.origin}/v1`;
  const curl = () =>
    `curl ${base}/chat/completions \\\n  -H 'content-type: application/json' \\\n  -d '{"messages":[{"role":"user","content":"Hello"}]}'`;
  const memory = () => {
    const found = node.health?.memory;
    return found
      ? t('first.largerMemory', { total: size(found.total_bytes), free: size(found.free_bytes) })
      : t('first.largerMore');
  };
  return (
    <ul class="ways">
      <li>
        <Way icon={<Sparkle size={19} aria-hidden="true" />} what={t('first.try')} more={t('first.tryMore')}>
          <div class="tries">
            <For each={['one', 'two', 'three'] as const}>
              {(which) => (
                <button type="button" class="button" onClick={() => props.send(t(`first.tries.${which}`))}>
                  {t(`first.tries.${which}`)}
                </button>
              )}
            </For>
          </div>
        </Way>
      </li>
      <li>
        <Way icon={<Plug size={19} aria-hidden="true" />} what={t('first.point')} more={t('first.pointMore')}>
          <p>{t('first.base')}</p>
          <Snippet text={base} />
          <p>{t('first.example')}</p>
          <Snippet text={curl()} />
          <p>{t('first.anyKey')}</p>
        </Way>
      </li>
      <li>
        <Way icon={<Box size={19} aria-hidden="true" />} what={t('first.larger')} more={memory()}>
          <p>{t('first.pull')}</p>
          <Snippet text={`kith models pull ${largerModel}`} />
          <p>{t('first.clone')}</p>
        </Way>
      </li>
    </ul>
  );
}

function Way(props: {
  readonly icon: JSX.Element;
  readonly what: string;
  readonly more: string;
  readonly children: JSX.Element;
}) {
  return (
    <details name="ways">
      <summary>
        {props.icon}
        <span>
          <span class="what">{props.what}</span>
          {props.more}
        </span>
        <ChevronRight class="chevron" size={16} aria-hidden="true" />
      </summary>
      <div class="body">{props.children}</div>
    </details>
  );
}
