/**
 * The JSON Schema of a request body from the zod schema that parses it, as the client writes it: before transforms.
 *
 * @module server/openapi/request-schema
 */
import { z } from 'zod';
import { elementOf } from '../openai/input.ts';
import type { Schema } from './schema.ts';

/**
 * A body is checked in two steps where its size has to be known before its contents are looked at: the first step says
 * how large, the second what. The document says both. Elements of a `boundedArray` are looked at one by one.
 */
export function requestSchema(schema: z.ZodType): Schema {
  const { $schema: _, ...result } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      const element = elementOf(zodSchema);
      if (element) Object.assign(jsonSchema, { items: requestSchema(element) });
      if (def.type !== 'pipe' || def.out._zod.def.type === 'transform') return;
      const { items: _loose, ...outer } = jsonSchema;
      Object.assign(jsonSchema, outer, requestSchema(def.out as z.ZodType));
    },
  });
  return result;
}
