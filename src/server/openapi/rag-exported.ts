/**
 * What an export of a knowledge base came to, in the document.
 *
 * @module server/openapi/rag-exported
 */
import { array, count, described, object, string } from './schema.ts';

export const left = described(
  'What was left as it is, the first of it, and why.',
  array(object({ file: string, why: string })),
);

export const exportedNotes = described(
  'What an `export` of notes came to, once it has ended well.',
  object({
    folder: string,
    entities: described('Names that have a note.', count),
    sources: described('Documents that have a note.', count),
    ...{ written: count, unchanged: count, removed: count },
    left,
    leftCount: count,
  }),
);

export const exportedFile = described(
  'What an `export` of a whole copy came to, once it has ended well.',
  object({ file: string, bytes: described('On the disk.', { type: 'number', minimum: 0 }) }),
);
