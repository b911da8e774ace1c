/**
 * Knowledge bases out of the node and back, in the document. The shapes are those of `rag/exchange-types.ts`.
 *
 * @module server/openapi/rag-exchange
 */
import { backupBody, notesBody, notesImportBody, restoreBody } from '../rag/exchange-bodies.ts';
import { answer, type Operation } from './operation.ts';
import { left } from './rag-exported.ts';
import { operation, retried } from './rag-parts.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  nullable,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';

const change: Readonly<Record<string, Schema>> = {
  file: string,
  kind: choice('name', 'type', 'summary', 'alias', 'relation', 'merge', 'part'),
  what: described('What is said now, for people.', string),
};
const broken = '`export_list_broken`: the list of what was exported cannot be read; `locked`.';

export const exchangeOperations: readonly Operation[] = [
  operation(
    'post',
    '/{kb}/export/notes',
    'ragExportNotes',
    'Write notes for Obsidian into a folder: one for each name, linked by relations, and an index',
    [
      'The job that does it: once it has ended well, its progress has what was written in `notes`.',
      ref('KbJob'),
    ],
    {
      description:
        'A folder of the machine that the node runs on. Only files that an export wrote are ever written over or removed; what their owner changed in them and did not import yet stays.',
      body: requestSchema(notesBody),
      answers: {
        '404': answer('`folder_missing`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
        '409': answer(
          `\`export_ignored\`: the folder is followed, and its notes would be taken in; ${broken}`,
          ref('OpenAiError'),
          retried,
        ),
      },
    },
  ),
  operation(
    'post',
    '/{kb}/import/notes',
    'ragImportNotes',
    'Take in what was changed in exported notes',
    [
      'What was taken in.',
      object({
        folder: string,
        notes: described('That were looked at.', count),
        changed: described('Of these: that say something new.', count),
        changes: array(object(change)),
        changeCount: count,
        conflicts: described(
          'Where the knowledge base changed too since the export; the note won.',
          array(
            object({
              ...change,
              instead: described('What the knowledge base said.', nullable(string)),
            }),
          ),
        ),
        left,
        isWhole: described('False when an export to the folder did not come to its end.', boolean),
        hasList: described(
          'False when the folder has lost its list of what was exported: then nothing counts as taken away.',
          boolean,
        ),
        run: described('The run that it stands in; null when there was nothing.', nullable(count)),
      }),
    ],
    {
      body: requestSchema(notesImportBody),
      answers: {
        '404': answer(
          '`export_missing`: the folder has no notes of it; `kb_unknown`, `kb_missing`.',
          ref('OpenAiError'),
          retried,
        ),
        '409': answer(broken, ref('OpenAiError'), retried),
      },
    },
  ),
  operation(
    'post',
    '/{kb}/export/file',
    'ragBackup',
    'Write a whole copy of a knowledge base, while it is in use',
    ['The job that does it: once it has ended well, its progress has the file in `copy`.', ref('KbJob')],
    {
      body: requestSchema(backupBody),
      answers: {
        '404': answer('`folder_missing`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
        '409': answer('`export_exists`: there is a file already; `locked`.', ref('OpenAiError'), retried),
      },
    },
  ),
  operation(
    'post',
    '/{kb}/import/file',
    'ragRestore',
    'Make a knowledge base of a whole copy of one',
    ['It.', ref('Kb')],
    {
      body: requestSchema(restoreBody),
      answers: {
        '404': answer('`folder_missing`, `file_not_found`.', ref('OpenAiError'), retried),
        '409': answer('`kb_exists`, or `locked`.', ref('OpenAiError'), retried),
      },
    },
  ),
];
