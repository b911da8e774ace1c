/**
 * Whether a JSON Schema is written as OpenAI's strict form wants it: each object forbids further properties and requires
 * all of its own. Sent as strict otherwise, the request is refused.
 *
 * @module gateway/backends/openai/strict
 */
import { isObject } from '../json.ts';

/** Schemas looked at; a larger one does not count as closed. */
const maxSchemas = 5000;

export function isClosedSchema(schema: unknown): boolean {
  const pending: unknown[] = [schema];
  for (let seen = 0; pending.length > 0; seen++) {
    if (seen > maxSchemas) return false;
    const each = pending.pop();
    if (Array.isArray(each)) {
      pending.push(...each);
      continue;
    }
    if (!isObject(each)) continue;
    if (each.type === 'object' || each.properties !== undefined) {
      const names = Object.keys(isObject(each.properties) ? each.properties : {});
      const required = Array.isArray(each.required) ? each.required : [];
      if (each.additionalProperties !== false || !names.every((name) => required.includes(name)))
        return false;
    }
    for (const key of ['properties', '$defs', 'definitions'])
      if (isObject(each[key])) pending.push(...Object.values(each[key]));
    for (const key of ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf']) pending.push(each[key]);
  }
  return true;
}
