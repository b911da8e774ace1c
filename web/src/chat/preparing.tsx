/**
 * The default model on its way into memory, as one row of work.
 *
 * @module web/chat/preparing
 */
import { Show } from 'solid-js';
import { defaultModel, node } from '../data/node-state.ts';
import { size, t } from '../i18n/index.ts';

const phases: Readonly<Record<string, 'placing' | 'verifying' | 'loading'>> = {
  place: 'placing',
  verify: 'verifying',
  load: 'loading',
};

export function Preparing() {
  const progress = () =>
    node.link === 'up' && node.health?.status === 'starting' ? node.health.progress : null;
  return (
    <Show when={progress()}>
      {(one) => {
        const name = () =>
          t(`work.${phases[one().phase] ?? 'other'}`, { model: defaultModel() ?? t('app.unknown') });
        return (
          <div class="work">
            <span class="name">{name()}</span>
            <bdi class="amount figures">
              {one().total_bytes === null
                ? size(one().done_bytes)
                : t('work.of', { done: size(one().done_bytes), total: size(one().total_bytes!) })}
            </bdi>
            <Show when={one().total_bytes} fallback={<progress aria-label={name()} />}>
              {(total) => <progress aria-label={name()} max={total()} value={one().done_bytes} />}
            </Show>
          </div>
        );
      }}
    </Show>
  );
}
