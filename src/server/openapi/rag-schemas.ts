/**
 * What the routes of knowledge bases answer, in the document.
 *
 * @module server/openapi/rag-schemas
 */
import { exportedFile, exportedNotes } from './rag-exported.ts';
import { steps } from './rag-steps.ts';
import {
  array,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const trouble = object({ code: string, message: string });
const stages = ['waiting', 'parsed', 'chunked', 'embedded', 'done', 'skipped', 'failed'] as const;
const stage = choice(...stages);
const bytes: Schema = { type: 'number', minimum: 0 };
export const chunkId = pattern('^[0-9a-f]{32}$');

export const place = object(
  {},
  {
    page: described('Page or slide, from 1.', count),
    line: described('From 1.', count),
    sheet: string,
    part: described('Chapter, attachment, page of a dump.', string),
  },
);

const chunk: Readonly<Record<string, Schema>> = {
  id: described('By content: the same where title and text are.', chunkId),
  path: string,
  title: described('Title of the document and headings, joined by ` › `.', string),
  text: string,
  position: described('In the document, from 0.', count),
  place,
};

const evidence = nullable(
  object({ score: number, rank: described('From 1; null beyond the best.', nullable(count)) }),
);

export const route = described(
  'The way that the question was answered by, and why; null where the graph was not to be asked.',
  nullable(object({ taken: choice('hybrid', 'graph', 'global'), why: string })),
);

export const ragSchemas: Readonly<Record<string, Schema>> = {
  Kb: object(
    {
      name: string,
      path: described('File of it.', string),
      made: moment,
      contents: described(
        'Null when it cannot be opened now.',
        nullable(
          object({
            documents: count,
            chunks: count,
            vectors: count,
            bytes: described('On the disk.', bytes),
            embedder: described(
              'Null until something was taken in.',
              nullable(object({ id: string, dimension: count })),
            ),
            folders: described(
              'Those that it follows.',
              array(
                object({
                  folder: string,
                  under: described('Where its files stand in the knowledge base.', string),
                  watch: described(
                    'How changes in it are heard of; null while nobody watches it.',
                    nullable(
                      object({
                        by: choice('events', 'looking'),
                        everyMs: milliseconds,
                        why: described('Why it is only looked every so often.', nullable(string)),
                      }),
                    ),
                  ),
                }),
              ),
            ),
            files: described(
              'How many files are at each stage.',
              object({}, Object.fromEntries(stages.map((each) => [each, count]))),
            ),
            chunking: ref('KbChunking'),
          }),
        ),
      ),
      trouble: described('Why it cannot be opened.', nullable(trouble)),
      jobs: described('Jobs that wait or run.', count),
    },
    {
      unfollowed: described(
        'Folders that a file which was there followed, and follows no longer.',
        array(object({ folder: string, under: string })),
      ),
    },
  ),
  KbJob: object(
    {
      id: count,
      kb: string,
      kind: choice('ingest', 'sync', 'rebuild', 'dream', 'export', 'vault'),
      what: described('What it works on, for people.', string),
      state: choice('waiting', 'running', 'done', 'failed', 'cancelled'),
      step: described('Grows with each change; for `seen`.', count),
      progress: object(
        {
          totals: object({
            files: described('Files that were looked at.', count),
            done: count,
            skipped: count,
            failed: count,
            documents: count,
            chunks: count,
            embedded: described('Chunks whose vectors were made; the others were there.', count),
            tokens: count,
            bytes: described('Of files that were done.', bytes),
            elapsedMs: milliseconds,
          }),
          of: described(
            'Files there are to look at (chunks for `rebuild`, notes or pages of the file for `export`); null: not known.',
            nullable(count),
          ),
          renamed: count,
          removed: count,
          failures: described(
            'The last ones; of an `export` the notes that were left as they are.',
            array(object({ path: string, code: string, message: string }), { maxItems: 50 }),
          ),
        },
        { notes: exportedNotes, copy: exportedFile },
      ),
      error: described('Why it failed.', nullable(trouble)),
      made: moment,
      ended: nullable(moment),
    },
    {
      stalled: described(
        'True: it is not over, and nobody works on it, since the process that did is gone. A node that starts goes on with it.',
        { type: 'boolean' },
      ),
    },
  ),
  KbDocument: object({
    path: string,
    title: string,
    type: string,
    bytes,
    modified: moment,
    chunks: count,
    pages: nullable(count),
    tags: array(string),
    notes: described(
      'What could not be read.',
      array(object({ code: choice('needs_ocr', 'cut', 'part_failed', 'encoding_guessed'), message: string })),
    ),
    chunking: described(
      'How it was cut; null where that was by a version of before.',
      nullable(ref('KbCut')),
    ),
  }),
  KbFile: object({
    path: string,
    stage,
    error: described('Why it failed.', nullable(trouble)),
    bytes,
    at: moment,
  }),
  KbChunk: object(chunk),
  KbFound: object({
    hits: array(
      object({
        ...chunk,
        score: described('Larger is better; comparable within one answer only.', number),
        words: described('BM25.', evidence),
        vector: described('Cosine.', evidence),
        graph: described(
          'By walks from the best hits over what documents name; null where they do not lead there.',
          nullable(
            object({
              score: number,
              rank: count,
              through: described('Names by way of which.', array(string)),
            }),
          ),
        ),
        duplicates: described('Chunks that say the same and were left out.', array(chunkId)),
        neighbours: array(ref('KbChunk'), { maxItems: 17 }),
      }),
      { maxItems: 200 },
    ),
    by: array(choice('words', 'vectors', 'graph')),
    route,
    degraded: described('Why meaning did not count although it was asked for.', nullable(trouble)),
    steps,
    ms: milliseconds,
  }),
};
