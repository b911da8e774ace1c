/**
 * How knowledge bases are cut and what a sync would do, in the document. The shapes are those of `rag/upkeep-types.ts`.
 *
 * @module server/openapi/rag-upkeep
 */
import { chunkingBody } from '../rag/upkeep-bodies.ts';
import { answer, type Operation } from './operation.ts';
import { operation } from './rag-parts.ts';
import { requestSchema } from './request-schema.ts';
import { array, choice, count, described, nullable, object, ref, type Schema, string } from './schema.ts';

const cut: Readonly<Record<string, Schema>> = {
  strategy: choice('sentences', 'paragraphs', 'fixed'),
  size: described('Tokens of a chunk, about.', count),
  overlap: described('Sentences at the end of a chunk with which the next begins.', count),
};
const bytes = described('Bytes.', count);
/** `count` and `bytes` are of all, of which the first are named. */
const planned = (entry: Readonly<Record<string, Schema>>): Schema =>
  object({ count, bytes, files: array(object(entry), { maxItems: 1000 }) });
const file = { path: string, bytes };

export const ragUpkeepSchemas: Readonly<Record<string, Schema>> = {
  KbCut: object(cut),
  KbChunking: object({
    ...cut,
    own: described(
      'What the knowledge base says itself; the rest is as the settings of the node say.',
      array(choice('strategy', 'size', 'overlap')),
    ),
    window: described(
      'Tokens that its embedding model reads, and more than which no chunk gets; null while that is not known.',
      nullable(count),
    ),
    stale: described('Documents that were cut otherwise.', count),
  }),
  KbSyncPlan: object({
    folder: string,
    under: described('Where its files stand in the knowledge base.', string),
    unchanged: described('Files.', count),
    added: planned(file),
    changed: planned(file),
    recut: described('Cut by other settings than hold now, whether or not they changed.', planned(file)),
    renamed: planned({ from: string, to: string, bytes }),
    removed: planned(file),
    ignored: planned({
      path: described('A folder, with all that is in it, ends in `/`.', string),
      rule: described('Line of an ignore file; null for links and the like.', nullable(string)),
      by: described('The ignore file, in the folder; null for what is always left out.', nullable(string)),
    }),
    unreadable: planned({ path: string, code: string, message: string }),
  }),
};

export const ragUpkeepOperations: readonly Operation[] = [
  operation('get', '/{kb}/chunking', 'ragChunking', 'Show how documents are cut', [
    'As it holds for what is taken in from now on.',
    ref('KbChunking'),
  ]),
  operation(
    'post',
    '/{kb}/chunking',
    'ragSetChunking',
    'Say how documents are cut',
    ['As it holds from now on.', ref('KbChunking')],
    {
      description:
        'What is not named stays as it is; null: as the settings of the node say. Documents that are there are cut anew by the next sync of their folder, or by `rebuild`: chunks that come out the same keep their ids and vectors.',
      body: requestSchema(chunkingBody),
      answers: {
        '400': answer(
          '`chunking_invalid`: the size is more than the embedding model reads.',
          ref('OpenAiError'),
        ),
      },
    },
  ),
];
