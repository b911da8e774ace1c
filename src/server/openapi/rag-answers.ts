/**
 * Answers from knowledge bases, in the document. The shapes are those of `rag/answer-types.ts`.
 *
 * @module server/openapi/rag-answers
 */
import { answerBody } from '../rag/answer-bodies.ts';
import { json, type Operation } from './operation.ts';
import { operation } from './rag-parts.ts';
import { chunkId, place, route } from './rag-schemas.ts';
import { asker, steps } from './rag-steps.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nullable,
  number,
  object,
  oneOf,
  ref,
  type Schema,
  string,
} from './schema.ts';

const n = described('As it is cited: `[n]`, from 1.', count);
const outcome = described(
  '`refused`: what was found does not answer the question, and the text says so.',
  choice('written', 'extracted', 'refused'),
);
const reason = described('Why it was refused; null otherwise.', nullable(string));
const citation: Readonly<Record<string, Schema>> = {
  n,
  chunk: described('The chunk that holds the sentence.', chunkId),
  path: string,
  title: string,
  place,
  sentence: described('Of the chunk, word for word; null when nothing there supports it.', nullable(string)),
  verified: boolean,
};
const sentence: Readonly<Record<string, Schema>> = {
  text: string,
  status: described('`plain`: nothing in it can be checked.', choice('verified', 'unsupported', 'plain')),
  missing: described(
    'What it says and its source does not.',
    array(object({ kind: choice('number', 'name', 'quote', 'words', 'negation', 'link'), what: string })),
  ),
  given: described('False when it was left out of the text.', boolean),
};
const writer: Readonly<Record<string, Schema>> = {
  task: described(
    'What it was asked for: to make the question stand alone, to help with the search, or to write the answer.',
    choice('question', 'search', 'answer'),
  ),
  ...asker,
  wrote: described(
    'Of what it wrote, before anything was left out or given instead; null for the other tasks.',
    nullable(ref('KbFigures')),
  ),
};
const warning: Readonly<Record<string, Schema>> = { code: string, message: string };
const question = described('As it was looked up.', string);
const rewrittenBy = described(
  'By whom it was made to stand alone; null: it is as it was asked.',
  nullable(choice('rules', 'writer')),
);
const cached = described(
  'Stands where it was made when the question came before, or one that means the same.',
  object({ ageMs: milliseconds, similarity: described('Cosine of the two questions.', number) }),
);
const event = (type: string, fields: Readonly<Record<string, Schema>>): Schema =>
  object({ type: literal(type), ...fields });

export const ragAnswerSchemas: Readonly<Record<string, Schema>> = {
  KbSource: object({
    n,
    path: string,
    title: described('Title of the document and headings, joined by ` › `.', string),
    where: described('Of its best chunk, for people: `page 3`; empty when the file has no places.', string),
    place,
    text: string,
    chunks: described('The chunks that it is made of, in their order.', array(chunkId)),
    score: described(
      'Null when an earlier answer cited it and this question did not find it.',
      nullable(number),
    ),
  }),
  KbFigures: object({
    sentences: count,
    cited: described('Sentences with a citation.', count),
    verified: count,
    unsupported: count,
    leftOut: described('Sentences that were not given.', count),
    removedCitations: described('Citations of sources that do not exist.', count),
  }),
  KbSupport: object({
    enough: boolean,
    coverage: described(
      "Share of the question's telling words that the best source has, weighed by how rare they are; null: it has none.",
      nullable(number),
    ),
    cosine: described('Of the nearest chunk; null when meaning did not count.', nullable(number)),
    margin: described('Cosine of the first less that of the fifth.', nullable(number)),
    missing: described('Rare words of the question that no source has.', array(string)),
  }),
  KbAnswer: object(
    {
      text: described('With citations `[n]`.', string),
      outcome,
      reason,
      question,
      rewrittenBy,
      citations: array(object(citation)),
      sentences: array(object(sentence)),
      sources: array(ref('KbSource')),
      figures: ref('KbFigures'),
      support: ref('KbSupport'),
      route,
      steps,
      writers: described('Models that were asked; empty where none was.', array(object(writer))),
      warnings: array(object(warning)),
      ms: milliseconds,
    },
    { cached },
  ),
  KbAnswerEvent: oneOf(
    event('sources', {
      ...{ question, rewrittenBy, route, steps },
      by: array(choice('words', 'vectors', 'graph')),
      sources: array(ref('KbSource')),
      support: ref('KbSupport'),
    }),
    event('text', { text: string }),
    event('citation', citation),
    event('sentence', sentence),
    event('writer', writer),
    event('warning', warning),
    object({ type: literal('finish'), outcome, reason, figures: ref('KbFigures') }, { cached }),
  ),
};

const whole = operation(
  'post',
  '/{kb}/answer',
  'ragAnswer',
  'Answer a question from what the documents say, with citations that were checked',
  ['The whole answer.', ref('KbAnswer')],
  {
    description:
      'With `stream: true` events as they come: `sources` once, before any `text`; a `citation` and a `sentence` for each sentence; `finish` last. `writer` is a model, `auto` for what the gateway chooses, null for sentences of the documents alone; `knowledge.writer` unless said. In `history` an earlier turn may name the chunks that it cited: they stay in view.',
    body: requestSchema(answerBody),
  },
);

export const ragAnswerOperations: readonly Operation[] = [
  {
    ...whole,
    answers: {
      ...whole.answers,
      '200': {
        description:
          'The whole answer or a stream of its events. An error after the 200 is an event, and the stream then ends without `[DONE]`.',
        content: {
          ...json(ref('KbAnswer')),
          'text/event-stream': {
            schema: oneOf(ref('KbAnswerEvent'), ref('OpenAiError')),
            'x-end': '[DONE]',
          },
        },
      },
    },
  },
];
