/**
 * The four shapes in which OpenAI's API takes texts: a string, strings, token ids, arrays of token ids. One pass
 * that stops at the first fault: a schema union would note a fault for every element of a hostile array.
 *
 * @module server/openai/input
 */
import { z } from 'zod';

const maxToken = 0x7fffffff;

const shapes = 'must be a string, an array of strings, an array of token ids or an array of such arrays';

class Fault {
  readonly message: string;
  readonly path: (string | number)[];
  constructor(message: string, path: (string | number)[] = []) {
    this.message = message;
    this.path = path;
  }
}

function textOf(value: unknown, emptyText: boolean, path: number[]): string | Fault {
  if (typeof value !== 'string') return new Fault(shapes, path);
  if (!emptyText && value === '') return new Fault('must not be empty', path);
  return value.toWellFormed();
}

function tokensOf(values: readonly unknown[], path: number[]): Int32Array | Fault {
  const tokens = new Int32Array(values.length);
  for (const [index, value] of values.entries()) {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > maxToken) {
      return new Fault('must be a token id (a whole number from 0)', [...path, index]);
    }
    tokens[index] = value as number;
  }
  return tokens;
}

function parse(value: unknown, maxInputs: number, emptyText: boolean): (string | Int32Array)[] | Fault {
  if (!Array.isArray(value)) {
    const text = textOf(value, emptyText, []);
    return text instanceof Fault ? text : [text];
  }
  if (value.length === 0) return new Fault('must not be empty');
  if (typeof value[0] === 'number') {
    const tokens = tokensOf(value, []);
    return tokens instanceof Fault ? tokens : [tokens];
  }
  if (value.length > maxInputs) return new Fault(`at most ${maxInputs} entries`);
  const list: (string | Int32Array)[] = [];
  for (const [index, each] of value.entries()) {
    if (Array.isArray(each) && each.length === 0) return new Fault('must not be empty', [index]);
    const one = Array.isArray(each) ? tokensOf(each, [index]) : textOf(each, emptyText, [index]);
    if (one instanceof Fault) return one;
    list.push(one);
  }
  return list;
}

/** The shapes as a JSON Schema, for the API document. */
function describeShapes(maxInputs: number, emptyText: boolean) {
  const one = { type: 'string', ...(emptyText ? {} : { minLength: 1 }) };
  const tokens = { type: 'array', items: { type: 'integer', minimum: 0, maximum: maxToken }, minItems: 1 };
  const several = (items: object) => ({ type: 'array', items, minItems: 1, maxItems: maxInputs });
  return { anyOf: [one, several(one), tokens, several(tokens)] };
}

/** A schema for such a field. Texts come out as valid Unicode, token arrays as Int32Array. */
export function textsOrTokens(maxInputs: number, emptyText: boolean) {
  return z
    .unknown()
    .meta(describeShapes(maxInputs, emptyText))
    .transform((value, context): (string | Int32Array)[] => {
      const result = parse(value, maxInputs, emptyText);
      if (!(result instanceof Fault)) return result;
      context.addIssue({ code: 'custom', message: result.message, path: result.path });
      return z.NEVER;
    });
}

/** By the step that checks them: it stays the same when a schema is refined. */
const elements = new WeakMap<z.core.$ZodType, z.ZodType>();

/** The schema of the elements of a `boundedArray`; undefined for any other schema. */
export function elementOf(schema: z.core.$ZodTypes): z.ZodType | undefined {
  const { def } = schema._zod;
  return def.type === 'pipe' ? elements.get(def.out) : undefined;
}

/**
 * An array whose length is checked before its elements are, and whose elements are checked up to the first fault: a
 * body of faulty elements would otherwise take seconds and hundreds of megabytes.
 */
export function boundedArray<T extends z.ZodType>(element: T, min: number, max: number) {
  const schema = z
    .array(z.unknown())
    .min(min, min === 1 ? 'must not be empty' : `at least ${min} entries`)
    .max(max, `at most ${max} entries`)
    .transform((values, context): z.output<T>[] => {
      const parsed: z.output<T>[] = [];
      for (const [index, value] of values.entries()) {
        const result = element.safeParse(value);
        if (!result.success) {
          const issue = result.error.issues[0]!;
          context.issues.push({
            ...issue,
            input: value,
            path: [index, ...issue.path],
          } as z.core.$ZodRawIssue);
          return z.NEVER;
        }
        parsed.push(result.data);
      }
      return parsed;
    });
  elements.set(schema.out, element);
  return schema;
}
