/**
 * Says in the keywords of the subset what schemas say in others with the same meaning, as common libraries write them:
 * tuples of draft 7, names of properties from a list, formats, `not` of everything. What has no such form stays as it
 * is, and is refused later by its name.
 *
 * @module engine/grammar/simplify-schema
 */
import { NUMBER_FORMATS, patternOfFormat } from './formats.ts';
import { isRecord, type Json, type JsonRecord } from './schema.ts';

const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const MAPS = new Set(['properties', '$defs', 'definitions']);
const SINGLE = new Set(['additionalProperties', 'additionalItems']);

export function simplifySchema(schema: Json): Json {
  if (!isRecord(schema)) return schema;
  // `not` of everything leaves nothing, whatever stands beside it.
  if (schema.not === true || (isRecord(schema.not) && Object.keys(schema.not).length === 0)) return false;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, simplifyInside(key, value)]),
  );
  return withoutFormat(withNames(withPrefix(inner)));
}

function simplifyInside(key: string, value: Json): Json {
  const whole = SINGLE.has(key) || (key === 'items' && !Array.isArray(value));
  if (whole) return simplifySchema(value);
  if ((LISTS.has(key) || key === 'items') && Array.isArray(value))
    return value.map((item) => simplifySchema(item as Json));
  if (!MAPS.has(key) || !isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, simplifySchema(item)]));
}

/** Draft 7: `items` as a list, and `additionalItems` for what comes after it. */
function withPrefix(schema: JsonRecord): JsonRecord {
  const { items, additionalItems, ...rest } = schema;
  if (!Array.isArray(items) || rest.prefixItems !== undefined) return schema;
  return {
    ...rest,
    ...(items.length === 0 ? {} : { prefixItems: items as readonly Json[] }),
    ...(additionalItems === undefined ? {} : { items: additionalItems }),
  };
}

/** `propertyNames` that allow any text say nothing; a list of names says which properties there are. */
function withNames(schema: JsonRecord): JsonRecord {
  const { propertyNames, ...rest } = schema;
  if (propertyNames === undefined) return schema;
  if (propertyNames === true) return rest;
  if (!isRecord(propertyNames)) return schema;
  const { type, enum: listed, ...others } = propertyNames;
  if ((type !== undefined && type !== 'string') || Object.keys(others).length > 0) return schema;
  if (listed === undefined) return rest;
  if (!Array.isArray(listed) || (rest.properties !== undefined && !isRecord(rest.properties))) return schema;
  const described: JsonRecord = rest.properties ?? {};
  const extra = rest.additionalProperties ?? rest.properties === undefined;
  const names = (listed as readonly Json[]).filter((name) => typeof name === 'string');
  return {
    ...rest,
    properties: Object.fromEntries(
      names.map((name) => [name, Object.hasOwn(described, name) ? described[name]! : extra]),
    ),
    additionalProperties: false,
  };
}

/** A format as a pattern or as bounds. Beside a pattern, which says more exactly what is meant, it is read over. */
function withoutFormat(schema: JsonRecord): JsonRecord {
  const { format, ...rest } = schema;
  if (typeof format !== 'string') return schema;
  const types = Array.isArray(rest.type) ? rest.type : [rest.type];
  const ofNumbers = types.includes('integer') || types.includes('number');
  if (ofNumbers && !types.includes('string')) {
    const bounds = Object.hasOwn(NUMBER_FORMATS, format) ? NUMBER_FORMATS[format]! : null;
    return bounds === null ? schema : bounded(rest, bounds);
  }
  if (rest.pattern !== undefined) return rest;
  const pattern = patternOfFormat(format);
  return pattern === null ? schema : { ...rest, pattern };
}

function bounded(schema: JsonRecord, bounds: { minimum?: number; maximum?: number }): JsonRecord {
  const { minimum, maximum } = schema;
  return {
    ...schema,
    ...(bounds.minimum === undefined
      ? {}
      : { minimum: Math.max(bounds.minimum, Number(minimum ?? bounds.minimum)) }),
    ...(bounds.maximum === undefined
      ? {}
      : { maximum: Math.min(bounds.maximum, Number(maximum ?? bounds.maximum)) }),
  };
}
