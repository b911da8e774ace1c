/**
 * Which model answers: those of the node that can hold a conversation.
 *
 * @module web/chat/model-picker
 */
import ChevronDown from 'lucide-solid/icons/chevron-down';
import { createMemo, For, Show } from 'solid-js';
import { defaultModel, node } from '../data/node-state.ts';
import { t } from '../i18n/index.ts';

export function ModelPicker(props: {
  readonly value: string | null;
  readonly choose: (model: string | null) => void;
}) {
  const chosen = () => props.value ?? defaultModel() ?? '';
  const options = createMemo(() => {
    // A model that has to be fetched first cannot answer; the default is put in its place by the node itself.
    const usable = (node.models ?? []).filter(
      ({ id, state }) => state !== 'available' || id === defaultModel(),
    );
    const known = usable.some(({ id }) => id === chosen());
    return known || chosen() === ''
      ? usable
      : [{ id: chosen(), state: 'ready' as const, context: null }, ...usable];
  });
  return (
    <Show when={options().length > 0}>
      <div class="model-pick">
        <select
          aria-label={t('chat.model')}
          title={t('chat.model')}
          onChange={(event) => {
            const model = event.currentTarget.value;
            props.choose(model === '' || model === defaultModel() ? null : model);
          }}
        >
          <Show when={chosen() === ''}>
            <option value="" selected>
              {t('chat.modelDefault')}
            </option>
          </Show>
          <For each={options()}>
            {({ id, state }) => (
              <option value={id} selected={id === chosen()}>
                {state === 'available' ? t('chat.modelAvailable', { model: id }) : id}
              </option>
            )}
          </For>
        </select>
        <ChevronDown size={15} aria-hidden="true" />
      </div>
    </Show>
  );
}
