/**
 * Where nothing can be looked for yet: how a knowledge base gets its first files.
 *
 * @module web/pages/knowledge/nothing-yet
 */
import { kbPath } from '../../app/pages.ts';
import { k } from './words/index.ts';

export function NothingYet(props: { readonly kb: string; readonly what: string; readonly more: string }) {
  return (
    <div class="nothing">
      <p>
        <strong>{props.what}</strong> {props.more}
      </p>
      <a class="button strong" href={kbPath(props.kb, 'files')}>
        {k('search.add')}
      </a>
    </div>
  );
}
