/**
 * An Eve by the operator who runs her: a letter and a colour, and the name.
 *
 * @module web/pages/vault/operator
 */
import { Show } from 'solid-js';
import type { PlacedView } from './desk.ts';
import { letterOf, operatorOf, shortPeer } from './figures.ts';
import { v } from './words.ts';

interface Props {
  readonly placed: Pick<PlacedView, 'eves' | 'mode'>;
  readonly eve: PlacedView['eves'][number];
}

export function EveName(props: Props) {
  const operator = () => operatorOf(props.placed, props.eve.operator);
  return (
    <span class="eve-name" title={props.eve.peer}>
      <Show
        when={operator() !== null}
        fallback={
          <>
            <span class="side none" aria-hidden="true">
              –
            </span>
            <bdi class="peer-id">{shortPeer(props.eve.peer)}</bdi>
          </>
        }
      >
        <span
          class={`side side-${operator()! % 2}`}
          role="img"
          aria-label={v('operator', {
            letter: letterOf(operator()!),
            name: props.eve.operator ?? v('operatorNone'),
          })}
        >
          {letterOf(operator()!)}
        </span>
        <bdi>{props.eve.operator}</bdi>
        <bdi class="peer-id">{shortPeer(props.eve.peer)}</bdi>
      </Show>
    </span>
  );
}
