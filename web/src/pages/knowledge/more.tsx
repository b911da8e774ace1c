/**
 * What stands below a list that has more.
 *
 * @module web/pages/knowledge/more
 */
import { k } from './words/index.ts';

export function More(props: { readonly busy: boolean; readonly read: () => void }) {
  return (
    <div class="page-acts">
      <button type="button" class="button" disabled={props.busy} onClick={props.read}>
        {k('documents.more')}
      </button>
    </div>
  );
}
