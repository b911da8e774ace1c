/**
 * Runs a request body through its schema, once, at the edge.
 *
 * @module server/http/schema
 */
import type { z } from 'zod';
import { InputError } from '../../base/index.ts';

/** `messages[0].content` for ['messages', 0, 'content']. */
function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text;
}

interface Fault {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * The fault to report. Unions report one issue; the branch that got furthest into the value says best what is wrong,
 * and a value that fits no branch at all has the wrong type, or is one of the wrong values of a discriminator.
 */
function deepest(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[] = []): Fault {
  const path = [...prefix, ...issue.path];
  const { message } = issue;
  switch (issue.code) {
    case 'invalid_union': {
      let best: Fault | null = null;
      for (const branch of issue.errors) {
        const first = branch[0];
        if (!first) continue;
        const found = deepest(first, path);
        if (found.path.length > path.length && (!best || found.path.length > best.path.length)) best = found;
      }
      return best ?? { code: issue.errors.length === 0 ? 'invalid_value' : 'invalid_type', path, message };
    }
    case 'unrecognized_keys': {
      const key = String(issue.keys[0]).slice(0, 80);
      return { code: 'unknown_parameter', path: [...path, key], message: 'there is no such option' };
    }
    case 'invalid_key':
      return { code: 'invalid_value', path, message: issue.issues[0]?.message ?? message };
    case 'custom':
      return { code: String(issue.params?.code ?? 'invalid_value'), path, message };
    default:
      return { code: issue.code, path, message };
  }
}

/** Throws `InputError` that names the field (`param`) and what is expected. */
export function parseBody<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError('invalid_type', 'The request body must be a JSON object.');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { code, path, message } = deepest(result.error.issues[0]!);
  const param = pathOf(path).slice(0, 200);
  throw new InputError(code, `${param || 'body'}: ${message}`, param ? { param } : {});
}

/** Absent and null mean the same in OpenAI's API. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/**
 * Refuses fields that the API knows and this node does not do, by name, when they carry a value that asks for it.
 * `allowed` lists the values that ask for nothing.
 */
export function refuse(
  body: object,
  fields: Readonly<Record<string, { readonly allowed?: readonly unknown[]; readonly why: string }>>,
): void {
  for (const [param, { allowed = [], why }] of Object.entries(fields)) {
    if (!Object.hasOwn(body, param)) continue;
    const value = (body as Record<string, unknown>)[param];
    if (value === null || value === undefined) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    if (allowed.some((each) => JSON.stringify(each) === JSON.stringify(value))) continue;
    throw new InputError('unsupported_parameter', `\`${param}\` is not supported: ${why}`, { param });
  }
}
