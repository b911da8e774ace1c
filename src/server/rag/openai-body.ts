/**
 * A chat completion that is asked of a knowledge base: its question, what was said before, and how to look.
 *
 * @module server/rag/openai-body
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { Turn } from '../../knowledge/index.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { messages } from '../openai/messages.ts';
import { checkStreamOptions, generationFields } from '../openai/options.ts';
import type { AnswerQuery } from './answer-types.ts';
import { filterBody, modeBody, searchBody, uploadQuery } from './bodies.ts';
import { budgetBody, expandBody, rerankBody } from './step-bodies.ts';
import type { StepWishes } from './step-types.ts';

/** Exchanges before the question that count, and characters of each part. */
const MOST_TURNS = 8;
const MOST_SAID = 8000;

const { kith: _, ...fields } = generationFields;

/** A body as clients write it; the API document is made from it. */
export const kbChatSchema = z.object({
  ...fields,
  messages,
  max_tokens: optional(z.int().min(1)),
  max_completion_tokens: optional(z.int().min(1)),
  kith: optional(
    z.strictObject({
      /** How to look for sources. */
      mode: optional(modeBody),
      /** Sources at most. */
      k: optional(z.int().min(1).max(20)),
      filter: optional(filterBody),
      /** Sentences of the documents alone: no model writes. */
      extract: optional(z.boolean()),
      /** Made anew, even if an answer is kept. */
      fresh: optional(z.boolean()),
      /** What is done beside searching, as the search takes it. */
      expand: optional(expandBody),
      rerank: optional(rerankBody),
      budget_ms: optional(budgetBody),
    }),
  ),
});

/** Whom a search is for stands in the body, as everywhere else in this API. */
export const kbSearchSchema = searchBody
  .omit({ writer: true })
  .extend({ model: z.string().min(1).max(200).exactOptional() });

export const kbUploadQuery = z.strictObject({
  model: z.string().min(1).max(200).exactOptional(),
  path: uploadQuery.shape.path.unwrap(),
});

/** What would change the form of an answer. How words are drawn (`temperature`, `seed`) is taken and has no effect. */
const refused = {
  n: { allowed: [1], why: 'a knowledge base gives one answer.' },
  stop: { why: 'answers of a knowledge base end with their last sentence.' },
  logit_bias: { allowed: [{}], why: 'sentences are held against their sources.' },
  logprobs: { allowed: [false], why: 'sentences are held against their sources.' },
  top_logprobs: { why: 'sentences are held against their sources.' },
  response_format: { allowed: [{ type: 'text' }], why: 'answers of a knowledge base are text.' },
  tool_choice: { allowed: ['none', 'auto'], why: 'a knowledge base calls no tools.' },
  functions: { why: 'a knowledge base calls no tools.' },
  function_call: { allowed: ['none', 'auto'], why: 'a knowledge base calls no tools.' },
  modalities: { allowed: [['text']], why: 'answers of a knowledge base are text.' },
  audio: { why: 'answers of a knowledge base are text.' },
} as const;

export interface KbChat {
  readonly model: string | null;
  readonly query: AnswerQuery;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** @throws InputError that names the field */
export function parseKbChat(body: unknown): KbChat {
  const parsed = parseBody(kbChatSchema, body);
  refuse(body as object, refused);
  checkStreamOptions(parsed);
  const { kith } = parsed;
  const { question, history } = conversationOf(parsed.messages);
  const maxTokens = parsed.max_completion_tokens ?? parsed.max_tokens;
  return {
    model: parsed.model ?? null,
    stream: parsed.stream ?? false,
    includeUsage: parsed.stream_options?.include_usage ?? false,
    query: {
      ...{ question, history, mode: kith?.mode ?? 'auto' },
      ...(kith?.filter === undefined ? {} : { filter: kith.filter }),
      ...(kith?.k === undefined ? {} : { k: kith.k }),
      ...(kith?.extract === true ? { writer: null } : {}),
      ...(kith?.fresh === true ? { fresh: true } : {}),
      ...stepsOf(kith),
      // As few as a client asks for may be less than a sentence has.
      ...(maxTokens === undefined ? {} : { maxTokens: Math.min(4096, Math.max(16, maxTokens)) }),
    },
  };
}

function stepsOf(kith: z.output<typeof kbChatSchema>['kith']): StepWishes {
  return {
    ...(kith?.expand === undefined ? {} : { expand: kith.expand }),
    ...(kith?.rerank === undefined ? {} : { rerank: kith.rerank }),
    ...(kith?.budget_ms === undefined ? {} : { budgetMs: kith.budget_ms }),
  };
}

type Messages = z.output<typeof messages>;

/** The last message of the user is the question; what others said behind it does not count, nor does a system message. */
function conversationOf(all: Messages): { question: string; history: Turn[] } {
  const last = all.findLastIndex(({ role }) => role === 'user');
  const question = last < 0 ? '' : (all[last]!.content ?? '').trim();
  if (question === '')
    throw new InputError('invalid_value', 'messages: the last message of the user is the question.', {
      param: 'messages',
    });
  const history: { question: string; answer: string }[] = [];
  for (const { role, content } of all.slice(0, last)) {
    const text = (content ?? '').slice(0, MOST_SAID).toWellFormed();
    if (text.trim() === '') continue;
    const open = history.at(-1);
    if (role === 'user') history.push({ question: text, answer: '' });
    else if (role === 'assistant' && open !== undefined)
      open.answer = `${open.answer}${open.answer === '' ? '' : '\n'}${text}`.slice(0, MOST_SAID);
  }
  return { question, history: history.slice(-MOST_TURNS) };
}
