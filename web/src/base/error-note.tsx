/**
 * An error in its place: what happened, what to do, and the code to look up or to tell.
 *
 * @module web/base/error-note
 */
import { type JSX, Show } from 'solid-js';
import type { Fault } from '../data/node-error.ts';
import { ifKnown, t } from '../i18n/index.ts';

export function ErrorNote(props: { readonly fault: Fault; readonly children?: JSX.Element }) {
  const remedy = () => ifKnown(`errors.remedy.${props.fault.code}`);
  return (
    <div class="note" role="alert">
      <p class="what" dir="auto">
        {props.fault.message}
      </p>
      <Show when={remedy()}>{(words) => <p>{words()}</p>}</Show>
      <p class="fault-code">
        {t('errors.code', { code: props.fault.code })}
        <Show when={props.fault.requestId}>{(id) => <>, {t('errors.request', { id: id() })}</>}</Show>
      </p>
      <div class="acts">{props.children}</div>
    </div>
  );
}
