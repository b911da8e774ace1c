/**
 * What goes into a knowledge base: files that are handed over, folders that are followed, the work on both, and how far each
 * file has come.
 *
 * @module web/pages/knowledge/files/files-view
 */
import type { Kb } from '../kb-state.ts';
import { Add } from './add.tsx';
import { FileStates } from './file-states.tsx';
import { Folders } from './folders.tsx';
import { Earlier, Running } from './jobs.tsx';

export function FilesView(props: { readonly kb: Kb }) {
  return (
    <>
      <Running kb={props.kb} />
      <Add kb={props.kb} />
      <Folders kb={props.kb} />
      <FileStates kb={props.kb} />
      <Earlier kb={props.kb} />
    </>
  );
}
