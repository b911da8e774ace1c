/**
 * What a model was asked for beside a search, and what came of it.
 *
 * @module web/pages/knowledge/search/steps
 */
import { For, Show } from 'solid-js';
import type { StepView } from '../../../../../src/server/rag/step-types.ts';
import { duration } from '../../../i18n/index.ts';
import { k, kIfKnown } from '../words/index.ts';

export function Steps(props: { readonly steps: readonly StepView[] }) {
  return (
    <Show when={props.steps.length > 0}>
      <p class="aside">
        <For each={props.steps}>{(step) => <span dir="auto">{told(step)} </span>}</For>
      </p>
    </Show>
  );
}

function told({ name, status, reason, model, writer, ms }: StepView): string {
  const what = kIfKnown(`search.steps.${name}`) ?? name;
  if (status === 'skipped') return k('search.steps.skipped', { what, why: reason ?? '' });
  if (model === null) return k('search.steps.used', { what, time: duration(ms) });
  const where = writer?.where === undefined || writer.where === null ? '' : k(`ask.wrote.${writer.where}`);
  return where === ''
    ? k('search.steps.by', { what, model, time: duration(ms) })
    : k('search.steps.byAt', { what, model, where, time: duration(ms) });
}
