/**
 * What the route of answers takes.
 *
 * @module server/rag/answer-bodies
 */
import { z } from 'zod';
import { filterBody, modeBody } from './bodies.ts';
import { languageField } from './language.ts';
import { stepFields } from './step-bodies.ts';

const MOST_TURNS = 20;
/** Of all turns together. */
const MOST_SAID = 100_000;

const turn = z.strictObject({
  question: z.string().min(1).max(8000),
  answer: z.string().max(20_000),
  cited: z
    .array(z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a chunk'))
    .max(50)
    .exactOptional(),
});

export const answerBody = z.strictObject({
  question: z.string().min(1).max(8000),
  history: z
    .array(turn)
    .max(MOST_TURNS)
    .refine(
      (turns) =>
        turns.reduce((sum, { question, answer }) => sum + question.length + answer.length, 0) <= MOST_SAID,
      `must have at most ${MOST_SAID} characters together`,
    )
    .default([]),
  mode: modeBody.default('auto'),
  filter: filterBody.exactOptional(),
  k: z.int().min(1).max(20).exactOptional(),
  writer: z.string().min(1).max(200).nullable().exactOptional(),
  maxTokens: z.int().min(16).max(4096).exactOptional(),
  fresh: z.boolean().exactOptional(),
  ...languageField,
  ...stepFields,
  stream: z.boolean().default(false),
});
