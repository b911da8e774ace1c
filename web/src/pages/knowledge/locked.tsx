/**
 * The knowledge page before the owner opened it.
 *
 * @module web/pages/knowledge/locked
 */
import { Show } from 'solid-js';
import { Unlock } from '../../app/unlock.tsx';
import { entering } from '../../data/owner.ts';
import { k } from './words/index.ts';

export function Locked(props: { readonly open: string; readonly commands: string }) {
  return (
    <Show when={!entering()} fallback={<h1 class="lede">{k('locked.entering')}</h1>}>
      <h1 class="lede">
        {k('locked.lede')} <span class="then">{k('locked.more')}</span>
      </h1>
      <Unlock why={k('locked.why')} open={props.open} commands={props.commands} />
    </Show>
  );
}
