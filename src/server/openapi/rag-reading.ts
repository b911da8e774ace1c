/**
 * Reading in documents of knowledge bases, in the document of the API.
 *
 * @module server/openapi/rag-reading
 */
import { answer, type Operation, queryParameter } from './operation.ts';
import { operation, retried } from './rag-parts.ts';
import { array, object, pattern, ref, string } from './schema.ts';

export const ragReadingOperations: readonly Operation[] = [
  operation(
    'get',
    '/{kb}/passages',
    'ragPassages',
    'Read passages of a document in their order',
    [
      'Those around the passage that was named, or from a position on.',
      object({ document: ref('KbDocument'), passages: array(ref('KbChunk'), { maxItems: 200 }) }),
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
];
