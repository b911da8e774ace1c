/**
 * Short forms for the JSON Schemas (2020-12) of the document. Objects are closed: a field that is not listed is a
 * fault of the answer or of the document.
 *
 * @module server/openapi/schema
 */
export type Schema = Readonly<Record<string, unknown>>;

export const string: Schema = { type: 'string' };
export const boolean: Schema = { type: 'boolean' };
export const number: Schema = { type: 'number' };
export const nothing: Schema = { type: 'null' };
/** A whole number from 0: a count, an index, a number of tokens. */
export const count: Schema = { type: 'integer', minimum: 0 };
/** Milliseconds, fractions allowed. */
export const milliseconds: Schema = { type: 'number', minimum: 0, description: 'Milliseconds.' };
export const unixSeconds: Schema = { type: 'integer', minimum: 0, description: 'Seconds since 1970.' };

export const literal = (value: string | number | boolean): Schema => ({ const: value });
export const choice = (...values: readonly (string | number)[]): Schema => ({ enum: values });
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const oneOf = (...schemas: readonly Schema[]): Schema => ({ oneOf: schemas });
export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, nothing] });
export const array = (items: Schema, bounds: Schema = {}): Schema => ({ type: 'array', items, ...bounds });
export const described = (description: string, schema: Schema): Schema => ({ ...schema, description });
/** A text of a known form. */
export const pattern = (source: string, example?: string): Schema => ({
  type: 'string',
  pattern: source,
  ...(example === undefined ? {} : { examples: [example] }),
});

/** An object with these fields and no others. */
export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

/** An object whose keys are data. */
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
/** Any JSON object: what the caller or a model decides. */
export const anyObject: Schema = { type: 'object' };
