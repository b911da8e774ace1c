/**
 * Dreams of knowledge bases, in the document. The shapes are those of `rag/dream-types.ts`.
 *
 * @module server/openapi/rag-dream
 */
import { dreamBody } from '../rag/dream-bodies.ts';
import { answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { operation, retried } from './rag-parts.ts';
import { chunkId } from './rag-schemas.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const share = described('From 0 to 1.', number);
const pillars = { type: share, summary: share, relations: described('Three are enough.', share) };
const completeness: Readonly<Record<string, Schema>> = {
  score: described('Mean of the three, each name weighed by log2(1 + passages that name it).', number),
  ...pillars,
  entities: described('Names that matter: documents are about them, or several passages name them.', count),
  names: described('Names in all.', count),
};

export const ragDreamSchemas: Readonly<Record<string, Schema>> = {
  KbCompleteness: object(completeness),
  KbScore: object({
    ...completeness,
    lacking: array(
      object({
        key: string,
        score: number,
        ...pillars,
        mentions: described('Passages that name it.', count),
        gain: described('Mentions × questions that named it × what it lacks.', number),
      }),
      { maxItems: 1000 },
    ),
  }),
  KbDream: object({
    id: count,
    state: choice('running', 'done', 'stopped', 'undone'),
    model: described('Who read passages; null: rules alone.', nullable(string)),
    ms: described('That it may take.', milliseconds),
    spentMs: milliseconds,
    phase: string,
    found: object({
      ...{ types: count, summaries: count, relations: count, merges: count },
      weights: described('Names that count less from now on when the graph is walked.', count),
      calls: described('Passages that a model read.', count),
      kept: described('Values of its that stood up to the checks.', count),
      refused: count,
    }),
    before: ref('KbCompleteness'),
    after: nullable(ref('KbCompleteness')),
    stopped: described('Why it ended before all was done.', nullable(choice('budget', 'busy', 'model'))),
    note: nullable(string),
    began: moment,
    ended: nullable(moment),
    undone: nullable(moment),
    idle: described(
      'Nobody began it: what was read in one day while the node had nothing else to do.',
      boolean,
    ),
  }),
  KbExtraction: object({
    mode: choice('off', 'idle'),
    phase: choice(
      ...(['off', 'no_model', 'unfit', 'waiting', 'reading'] as const),
      ...(['spent', 'nothing_left', 'undone', 'failed'] as const),
    ),
    note: described('Why, where it did not go well.', nullable(string)),
    model: nullable(string),
    tokens: described('Of today (UTC), that were asked for.', count),
    budget: described('Tokens of a day.', count),
    run: described('Run of today; null: nothing was read.', nullable(count)),
    calls: described('Passages that were read today.', count),
    ...{ kept: count, refused: count },
    left: described('Names that lack something.', count),
  }),
  KbDreamEntry: object({
    id: nullable(count),
    kind: choice('said', 'merged', 'read'),
    subject: string,
    what: string,
    value: string,
    why: string,
    by: choice('rule', 'model', 'owner'),
    confidence: nullable(number),
    chunk: nullable(chunkId),
    sentence: nullable(string),
    holds: described('False when it was undone.', boolean),
  }),
};

const run = pathParameter('run', 'Number of the run.');
const limit = (unless: number) =>
  queryParameter('limit', `How many; ${unless} unless said.`, { type: 'integer', minimum: 1, maximum: 1000 });
const unknown = {
  '404': answer('`run_unknown`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
};

export const ragDreamOperations: readonly Operation[] = [
  operation(
    'get',
    '/{kb}/graph/score',
    'ragScore',
    'Say how complete what is known of names is',
    ['With the names by which the most is to be gained.', ref('KbScore')],
    { parameters: [limit(20)] },
  ),
  operation(
    'get',
    '/{kb}/dreams',
    'ragDreams',
    'List the dreams of a knowledge base',
    ['Newest first.', object({ runs: array(ref('KbDream')) })],
    { parameters: [limit(20)] },
  ),
  operation(
    'get',
    '/{kb}/extraction',
    'ragExtraction',
    'Say what is read while the node has nothing else to do',
    ['As `knowledge.extraction` wants it.', ref('KbExtraction')],
    {},
  ),
  operation(
    'post',
    '/{kb}/dreams',
    'ragDream',
    'Complete what is known of names, from quoted sentences',
    ['The run, and the job that does it.', object({ run: ref('KbDream'), job: ref('KbJob') })],
    {
      description:
        'Rules find types, summaries and relations; a model (`knowledge.writer` unless said; null: none) then reads passages, as many as `calls`. Merges that are at least `mergeAt` sure are made. All of it can be undone.',
      body: requestSchema(dreamBody),
      answers: { '409': answer('`dream_running`, `locked`.', ref('OpenAiError'), retried) },
    },
  ),
  operation(
    'get',
    '/{kb}/dreams/{run}',
    'ragDreamJournal',
    'Show what a dream did, why, and what says so',
    [
      'Merges and passages that were read first, on the first page; then what was said.',
      object({
        run: ref('KbDream'),
        entries: array(ref('KbDreamEntry')),
        next: described('For `after`; null: that was all.', nullable(count)),
      }),
    ],
    {
      parameters: [
        run,
        queryParameter('after', 'Number of the last one of the page before.', count),
        limit(100),
      ],
      answers: unknown,
    },
  ),
  operation(
    'post',
    '/{kb}/dreams/{run}/undo',
    'ragDreamUndo',
    'Undo a dream',
    ['The run. Everything is shown again as it was before it.', ref('KbDream')],
    {
      parameters: [run],
      answers: {
        ...unknown,
        '409': answer('`run_undone`, `dream_running`, `locked`.', ref('OpenAiError'), retried),
      },
    },
  ),
];
