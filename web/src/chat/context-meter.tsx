/**
 * How much of the model's context the conversation fills, as the last answer counted it. Before the first answer nobody
 * knows, and nothing is shown.
 *
 * @module web/chat/context-meter
 */
import { Show } from 'solid-js';
import { conversation, turnsOf } from '../data/conversations.ts';
import { contextOf, defaultModel } from '../data/node-state.ts';
import { brief, count, t } from '../i18n/index.ts';

/** Above this share the next answers may not fit. */
const tightShare = 0.85;
const radius = 6.5;
const round = 2 * Math.PI * radius;

export function ContextMeter(props: { readonly id: string }) {
  const model = () => conversation(props.id)?.settings.model ?? defaultModel();
  const fill = () => {
    const usage = turnsOf(props.id)?.findLast(({ answer }) => answer.usage !== null)?.answer.usage;
    const total = contextOf(model());
    return usage && total !== null ? { used: usage.prompt_tokens + usage.completion_tokens, total } : null;
  };
  return (
    <Show when={fill()}>
      {(one) => {
        const share = () => Math.min(1, one().used / one().total);
        const words = () =>
          t('meter.hint', {
            used: count(one().used),
            total: count(one().total),
            model: model() ?? t('app.unknown'),
          });
        return (
          <span class="meter figures" classList={{ tight: share() > tightShare }} title={words()} data-meter>
            <svg width="16" height="16" viewBox="0 0 16 16" role="img" aria-label={words()}>
              <circle cx="8" cy="8" r={radius} />
              <circle
                class="full"
                cx="8"
                cy="8"
                r={radius}
                stroke-dasharray={`${share() * round} ${round}`}
                transform="rotate(-90 8 8)"
              />
            </svg>
            <bdi aria-hidden="true">
              {t('meter.of', { used: brief(one().used), total: brief(one().total) })}
            </bdi>
          </span>
        );
      }}
    </Show>
  );
}
