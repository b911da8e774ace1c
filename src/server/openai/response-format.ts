/**
 * `response_format` of chat completions: the form an answer is held to.
 *
 * @module server/openai/response-format
 */
import { z } from 'zod';
import type { Grammar } from '../../engine/index.ts';

/** A schema is read whole by the engine, which names what it does not support; here only its outline counts. */
const jsonSchema = z.object({
  name: z.string().min(1).max(64),
  description: z.string().max(10_000).nullish(),
  schema: z.union([z.record(z.string(), z.unknown()), z.boolean()]),
  // Answers are always held to the schema exactly: both values ask for no more than that.
  strict: z.boolean().nullish(),
});

export const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: jsonSchema }),
]);

/** Null when any text will do. */
export function grammarOf(format: z.output<typeof responseFormat> | undefined): Grammar | null {
  switch (format?.type) {
    case 'json_object':
      return { kind: 'json_object' };
    case 'json_schema':
      return { kind: 'json_schema', schema: format.json_schema.schema };
    default:
      return null;
  }
}
