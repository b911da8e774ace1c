/**
 * What an Eve learns in each mode.
 *
 * @module web/pages/vault/learns
 */
import { createUniqueId, For } from 'solid-js';
import { v } from './words.ts';

type Word =
  | 'nothing'
  | 'here'
  | 'halfNoise'
  | 'vector'
  | 'nearlyAll'
  | 'reads'
  | 'which'
  | 'roughly'
  | 'number'
  | 'yes';

/** Of sealed, split (one operator, both), perturbed. */
const ROWS = [
  ['texts', 'nothing', 'nothing', 'nothing', 'nothing'],
  ['vectors', 'nothing', 'nothing', 'nothing', 'nearlyAll'],
  ['question', 'here', 'halfNoise', 'vector', 'nearlyAll'],
  ['fetched', 'reads', 'nothing', 'which', 'yes'],
  ['amount', 'roughly', 'number', 'number', 'yes'],
  ['owner', 'yes', 'yes', 'yes', 'yes'],
] as const satisfies readonly (readonly [string, Word, Word, Word, Word])[];

const hides = (word: Word): boolean => word === 'nothing' || word === 'here' || word === 'halfNoise';

export function Learns() {
  const id = createUniqueId();
  return (
    <section class="learns">
      <h2 id={id}>{v('learns.title')}</h2>
      <p class="sub">{v('learns.more')}</p>
      <section class="table-box" tabindex="0" aria-labelledby={id}>
        <table class="figure-table">
          <thead>
            <tr>
              <th scope="col">{v('learns.what')}</th>
              <th scope="col">{v('modes.sealed')}</th>
              <th scope="col">{v('learns.splitOne')}</th>
              <th scope="col">{v('learns.splitBoth')}</th>
              <th scope="col">{v('modes.perturbed')}</th>
            </tr>
          </thead>
          <tbody>
            <For each={ROWS}>
              {([what, ...words]) => (
                <tr>
                  <th scope="row">{v(`learns.rows.${what}`)}</th>
                  <For each={words}>
                    {(word) => <td classList={{ kept: hides(word) }}>{v(`learns.words.${word}`)}</td>}
                  </For>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </section>
    </section>
  );
}
