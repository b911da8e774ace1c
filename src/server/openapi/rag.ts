/**
 * The routes of knowledge bases in the document. The shapes are those of `rag/types.ts`.
 *
 * @module server/openapi/rag
 */
import { ingestBody, kbBody, searchBody, syncBody } from '../rag/bodies.ts';
import { type Api, answer, pathParameter, queryParameter } from './operation.ts';
import { ragAnswerOperations, ragAnswerSchemas } from './rag-answers.ts';
import { ragCacheOperations } from './rag-cache.ts';
import { ragDreamOperations, ragDreamSchemas } from './rag-dream.ts';
import { ragEngineOperations, ragEngineSchemas } from './rag-engine.ts';
import { exchangeOperations } from './rag-exchange.ts';
import { ragGraphOperations, ragGraphSchemas } from './rag-graph.ts';
import { ragOpenAiOperations, ragOpenAiSchemas } from './rag-openai.ts';
import { operation, retried } from './rag-parts.ts';
import { ragReadingOperations } from './rag-reading.ts';
import { ragSchemas } from './rag-schemas.ts';
import { ragShareOperations, ragShareSchemas } from './rag-shares.ts';
import { ragUpkeepOperations, ragUpkeepSchemas } from './rag-upkeep.ts';
import { ragVaultOperations, ragVaultSchemas } from './rag-vault.ts';
import { ragVaultGrantOperations, ragVaultGrantSchemas } from './rag-vault-grant.ts';
import { requestSchema } from './request-schema.ts';
import { array, boolean, choice, count, described, object, oneOf, ref, string } from './schema.ts';

const job = pathParameter('job', 'Number of the job.');
const path = pathParameter('path', 'In the knowledge base; may have slashes.');
const limit = queryParameter('limit', 'How many; 100 unless said.', {
  type: 'integer',
  minimum: 1,
  maximum: 1000,
});
const after = queryParameter('after', 'Path of the last one of the page before.', string);

export const ragApi: Api = {
  tag: 'Knowledge bases',
  description:
    "Documents of the node's owner, found by words and by meaning. Routes under `/api/rag/kbs` are for the owner alone and take the run token; those under `/api/rag/v1` are for other programs and take keys.",
  schemas: {
    ...ragSchemas,
    ...ragAnswerSchemas,
    ...ragDreamSchemas,
    ...ragGraphSchemas,
    ...ragShareSchemas,
    ...ragUpkeepSchemas,
    ...ragEngineSchemas,
    ...ragVaultSchemas,
    ...ragVaultGrantSchemas,
    ...ragOpenAiSchemas,
  },
  operations: [
    operation('get', '', 'ragList', 'List the knowledge bases', [
      'By name.',
      object({
        kbs: array(ref('Kb')),
        uploadBytes: described('Bytes of a file that may be uploaded.', count),
      }),
    ]),
    operation('post', '', 'ragCreate', 'Make a knowledge base', ['It.', ref('Kb')], {
      description:
        'Where its folder has a file of its name already, as on a drive that came from another machine, that one is checked and taken. The folders that it followed are followed no longer, unless `keepFolders` says so.',
      body: requestSchema(kbBody),
      answers: {
        '409': answer('`kb_exists`, or `locked`.', ref('OpenAiError'), retried),
        '404': answer('`folder_missing`.', ref('OpenAiError'), retried),
        '422': answer(
          '`backup_invalid`: the file that is there is no sound knowledge base.',
          ref('OpenAiError'),
          retried,
        ),
      },
    }),
    operation('get', '/{kb}', 'ragShow', 'Show a knowledge base', ['It.', ref('Kb')]),
    operation(
      'delete',
      '/{kb}',
      'ragDestroy',
      'Remove a knowledge base with all that is in it',
      [
        'It is gone; the files that it was made of are where they were.',
        object({ name: string, kept: boolean }),
      ],
      {
        parameters: [
          queryParameter('keep', 'Only forget it, and leave its file where it is.', choice('true', 'false')),
        ],
      },
    ),
    operation('post', '/{kb}/ingest', 'ragIngest', 'Take in files', ['The job that does it.', ref('KbJob')], {
      description:
        'Files and folders of the machine that the node runs on, named in a JSON body; or, with `path`, the bytes of one file, which are the body, of any type.',
      parameters: [
        queryParameter(
          'path',
          'Where the uploaded file stands in the knowledge base; its ending counts.',
          string,
        ),
      ],
      body: requestSchema(ingestBody),
      binary: true,
      answers: {
        '409': answer(
          '`kb_path_taken`: a folder that is followed stands there; or `locked`.',
          ref('OpenAiError'),
          retried,
        ),
      },
    }),
    operation(
      'post',
      '/{kb}/sync',
      'ragSync',
      'Make what the knowledge base has of a folder equal to the folder, now and by each later sync',
      [
        'A job for each folder; with `dryRun` what it would do.',
        oneOf(object({ jobs: array(ref('KbJob')) }), object({ plans: array(ref('KbSyncPlan')) })),
      ],
      {
        description:
          'Without a folder: all that were named before. With `dryRun` nothing is written: files are compared, and not parsed.',
        body: requestSchema(syncBody),
        answers: {
          '404': answer('`kb_unknown`, `kb_missing`, `folder_missing`.', ref('OpenAiError'), retried),
          '409': answer('`no_folder`, `kb_path_taken`, `locked`.', ref('OpenAiError'), retried),
        },
      },
    ),
    operation(
      'delete',
      '/{kb}/folders',
      'ragUnfollow',
      'Follow a folder no longer, also one that is gone',
      ['The job that removes its documents.', ref('KbJob')],
      {
        parameters: [
          { ...queryParameter('folder', 'As it is followed, absolute.', string), required: true },
          queryParameter('keep', 'Its documents stay.', choice('true', 'false')),
        ],
        answers: {
          '404': answer('`folder_not_followed`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
        },
      },
    ),
    operation(
      'post',
      '/{kb}/rebuild',
      'ragRebuild',
      'Cut documents anew that were cut by other settings, and make all vectors anew by the embedding model of the settings',
      ['The job that does it.', ref('KbJob')],
      {
        description:
          'Files that are not where they were taken from, or changed since, are named among the failures of the job (`file_away`).',
        parameters: [queryParameter('only', 'What stays as it was keeps its vectors.', choice('chunks'))],
      },
    ),
    ...ragUpkeepOperations,
    ...ragEngineOperations,
    ...ragVaultOperations,
    ...ragVaultGrantOperations,
    operation('get', '/{kb}/jobs', 'ragJobs', 'List jobs: those that wait or run, then the last ones', [
      'Newest first.',
      object({ jobs: array(ref('KbJob')) }),
    ]),
    operation(
      'get',
      '/{kb}/jobs/{job}',
      'ragJob',
      'Show a job, or wait for what it does next',
      ['It.', ref('KbJob')],
      {
        parameters: [
          job,
          queryParameter('seen', 'The answer comes when its step is another, or after 20 s.', count),
        ],
        answers: { '404': answer('`job_unknown`, `kb_unknown`.', ref('OpenAiError'), retried) },
      },
    ),
    operation(
      'delete',
      '/{kb}/jobs/{job}',
      'ragCancel',
      'End a job; what it took in stays',
      ['It, ended.', ref('KbJob')],
      {
        parameters: [job],
        answers: { '404': answer('`job_unknown`, `kb_unknown`.', ref('OpenAiError'), retried) },
      },
    ),
    operation(
      'get',
      '/{kb}/documents',
      'ragDocuments',
      'List documents',
      ['By path.', object({ documents: array(ref('KbDocument'), { maxItems: 1000 }) })],
      { parameters: [after, limit] },
    ),
    operation(
      'delete',
      '/{kb}/documents/{path}',
      'ragRemoveDocument',
      'Remove a document; of a dump all its pages',
      ['How many documents are gone.', object({ removed: count })],
      {
        description: 'A file of a folder that is followed comes back with the next sync.',
        parameters: [path],
        answers: {
          '404': answer('`document_unknown`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
        },
      },
    ),
    operation(
      'get',
      '/{kb}/files',
      'ragFiles',
      'List files and how far each has come',
      ['By path.', object({ files: array(ref('KbFile'), { maxItems: 1000 }) })],
      {
        parameters: [
          after,
          limit,
          queryParameter(
            'stage',
            'Only those at this stage.',
            choice('waiting', 'parsed', 'chunked', 'embedded', 'done', 'skipped', 'failed'),
          ),
        ],
      },
    ),
    operation(
      'get',
      '/{kb}/files/{path}',
      'ragFile',
      'Show how far a file has come',
      ['It.', ref('KbFile')],
      {
        parameters: [path],
        answers: {
          '404': answer('`document_unknown`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
        },
      },
    ),
    ...ragReadingOperations,
    operation(
      'post',
      '/{kb}/search',
      'ragSearch',
      'Find the chunks that answer a question, by words, by meaning, and by what documents name',
      ['Best first.', ref('KbFound')],
      {
        body: requestSchema(searchBody),
      },
    ),
    ...ragAnswerOperations,
    ...exchangeOperations,
    ...ragGraphOperations,
    ...ragDreamOperations,
    ...ragShareOperations,
    ...ragOpenAiOperations,
    ...ragCacheOperations,
  ],
};
