/**
 * Reading in documents of knowledge bases, in the document of the API.
 *
 * @module server/openapi/rag-reading
 */
import { type Answer, answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { operation, retried } from './rag-parts.ts';
import { array, choice, described, object, pattern, ref, type Schema, string } from './schema.ts';

const binary: Schema = { type: 'string', format: 'binary' };

const file = (description: string): Answer => ({
  description,
  content: { 'application/pdf': { schema: binary }, 'application/octet-stream': { schema: binary } },
});

const original = operation(
  'get',
  '/{kb}/originals/{original}',
  'ragOriginal',
  'Get the file that a document was read from',
  ['The whole file.', binary],
  {
    description:
      'Only while it lies in a folder that the knowledge base follows and is what was taken in, byte by byte. A PDF has its type, everything else is `application/octet-stream` to be saved. One range of bytes may be asked for.',
    parameters: [pathParameter('original', 'SHA-256 of the file, as `passages` tells it.')],
    answers: {
      '404': answer(
        '`document_unknown`; `original_not_kept`: it lies in no folder that is followed; `original_away`: it is not where it was; `kb_unknown`, `kb_missing`.',
        ref('OpenAiError'),
        retried,
      ),
      '409': answer(
        '`original_changed`: it is another one than was taken in; `locked`.',
        ref('OpenAiError'),
        retried,
      ),
      '416': answer('`range_invalid`: no byte of it was asked for.', ref('OpenAiError'), retried),
    },
  },
);

export const ragReadingOperations: readonly Operation[] = [
  operation(
    'get',
    '/{kb}/passages',
    'ragPassages',
    'Read passages of a document in their order',
    [
      'Those around the passage that was named, or from a position on.',
      object({
        document: ref('KbDocument'),
        passages: array(ref('KbChunk'), { maxItems: 200 }),
        original: object({
          id: described('SHA-256 of the file that it was read from.', pattern('^[0-9a-f]{64}$')),
          state: described(
            '`here`: the file can be had. `changed`, `away`: not as it was taken in. `not_kept`: it lies in no folder that is followed.',
            choice('here', 'changed', 'away', 'not_kept'),
          ),
        }),
      }),
    ],
    {
      parameters: [
        { ...queryParameter('path', 'Of the document.', string), required: true },
        queryParameter('chunk', 'Id of a passage in it.', pattern('^[0-9a-f]{32}$')),
        queryParameter('around', 'Passages before and after that one; 2 unless said.', {
          type: 'integer',
          minimum: 1,
          maximum: 20,
        }),
        queryParameter('from', 'Without `chunk`: position of the first, from 0.', {
          type: 'integer',
          minimum: 0,
        }),
        queryParameter('limit', 'Without `chunk`: how many; 50 unless said.', {
          type: 'integer',
          minimum: 1,
          maximum: 200,
        }),
      ],
      answers: {
        '404': answer(
          '`document_unknown`, `passage_unknown`, `kb_unknown`, `kb_missing`.',
          ref('OpenAiError'),
          retried,
        ),
      },
    },
  ),
  {
    ...original,
    answers: {
      ...original.answers,
      '200': file('The whole file.'),
      '206': file('The bytes that were asked for.'),
    },
  },
];
