/**
 * Files of recorded answers: which request, and what was answered.
 *
 * @module gateway/backends/recorded/fixtures
 */
import { z } from 'zod';
import { InputError, messageOf } from '../../../base/index.ts';

const maxFileBytes = 64 * 2 ** 20;
const text = z.string().max(maxFileBytes);
const count = z.int().min(0);

/** A request fits when everything named here fits. */
const match = z.strictObject({
  api: z.enum(['chat', 'completion', 'embedding']).default('chat'),
  model: text.optional(),
  /** Part of the last message of a person, of the prompt, or of an input. */
  contains: text.optional(),
  /** Exactly that text. */
  equals: text.optional(),
  tool: text.optional(),
});

const event = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), choice: count.default(0), text }),
  z.strictObject({
    type: z.literal('tool_call'),
    choice: count.default(0),
    index: count,
    id: text,
    name: text,
  }),
  z.strictObject({ type: z.literal('tool_arguments'), choice: count.default(0), index: count, text }),
  z.strictObject({
    type: z.literal('finish'),
    choice: count.default(0),
    reason: z.enum(['stop', 'length', 'tool_calls']),
    stop: text.nullable().default(null),
  }),
  z.strictObject({
    type: z.literal('usage'),
    promptTokens: count.nullable(),
    cachedTokens: count.nullable().default(null),
    completionTokens: count.nullable(),
  }),
]);

const answer = z.union([
  z.strictObject({ events: z.array(event).min(1).max(1_000_000) }),
  /** An event stream as a server sent it, and the API it is of. */
  z.strictObject({ stream: text, of: z.enum(['openai', 'anthropic']) }),
  z.strictObject({
    vectors: z.array(z.array(z.number()).min(1).max(65_536)).min(1),
    tokens: z.array(count.nullable()),
  }),
  /** A refusal as a server sent it. */
  z.strictObject({
    status: z.int().min(400).max(599),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.unknown(),
  }),
]);

const file = z.strictObject({
  version: z.literal(1),
  models: z
    .array(
      z.strictObject({
        id: z.string().min(1).max(200),
        task: z.enum(['chat', 'completion', 'embedding']).default('chat'),
        context: count.nullable().default(null),
      }),
    )
    .min(1),
  answers: z
    .array(z.strictObject({ match, answer, delayMs: count.max(60_000).default(0) }))
    .min(1)
    .max(100_000),
});

export type RecordedFile = z.output<typeof file>;
export type RecordedEntry = RecordedFile['answers'][number];
export type RecordedAnswer = RecordedEntry['answer'];
export type RecordedEvent = z.output<typeof event>;

/** Throws `InputError` naming the first thing wrong. `name` stands in messages. */
export function parseRecorded(content: string, name: string): RecordedFile {
  const refuse = (what: string) =>
    new InputError('recorded_file_invalid', `${name} is no file of recorded answers: ${what}`);
  if (content.length > maxFileBytes) throw refuse(`it has more than ${maxFileBytes} characters.`);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = file.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it has another form'}.`);
}
