/**
 * Hides personal data in everything of a chat request that reaches a model: messages with their parts, calls of tools and
 * their results, descriptions of tools, stop strings, forms of the answer.
 *
 * Works on the shapes of OpenAI's and Anthropic's APIs. What has a shape it does not know is read as JSON: every string
 * in it counts as text. What cannot be read (pictures, sound, files, token ids) is named in `unchecked`.
 *
 * @module gateway/privacy/messages
 */
import { type Visit, visitJson, visitValue } from './json.ts';

/** What `hideMessages` asks of a conversation. */
export interface Hiding {
  readonly visit: Visit;
  /** Replaces a name of a participant as a whole, by letters, digits and `_`. */
  readonly visitName: (name: string) => string;
  /** Notes something that was not looked into. */
  readonly skip: (what: string) => void;
}

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields that the protocols give meaning to: ids, types, names of tools. */
const KEPT = new Set([
  'type',
  'role',
  'id',
  'tool_call_id',
  'tool_use_id',
  'call_id',
  'index',
  'cache_control',
  'is_error',
  // What a provider sealed comes back to it as it was.
  'signature',
  'encrypted_content',
]);
/** Kinds of parts whose content is no text. */
const OPAQUE = new Set([
  'image_url',
  'image',
  'input_image',
  'input_audio',
  'audio',
  'file',
  'input_file',
  'document',
  'video',
  'video_url',
]);

export function hideMessage<M extends object>(message: M, hiding: Hiding): M {
  const hidden: Record<string, unknown> = {};
  const role = (message as Plain).role;
  for (const [key, value] of Object.entries(message)) {
    if (KEPT.has(key)) hidden[key] = value;
    // The name of a tool's answer is the tool's.
    else if (key === 'name') {
      hidden[key] =
        typeof value === 'string' && role !== 'tool' && role !== 'function' ? hiding.visitName(value) : value;
    } else if (key === 'content')
      hidden[key] = hideContent(value, hiding, role === 'tool' || role === 'function');
    else if (key === 'tool_calls' && Array.isArray(value))
      hidden[key] = value.map((call) => hideCall(call, hiding));
    else hidden[key] = visitValue(value, hiding.visit);
  }
  return hidden as M;
}

/** `system` and `content`: a string, or parts. */
export function hideContent(content: unknown, hiding: Hiding, isResult = false): unknown {
  if (typeof content === 'string') return isResult ? hideResult(content, hiding) : hiding.visit(content, '');
  if (Array.isArray(content)) return content.map((part) => hidePart(part, hiding, isResult));
  return visitValue(content, hiding.visit);
}

/** What tools answer is often JSON, whose keys tell what its values are. */
function hideResult(text: string, { visit }: Hiding): string {
  const isJson = /^\s*[[{]/.test(text.slice(0, 64));
  return (isJson ? visitJson(text, visit) : null) ?? visit(text, '');
}

function hidePart(part: unknown, hiding: Hiding, isResult: boolean): unknown {
  if (typeof part === 'string') return hiding.visit(part, '');
  if (!isPlain(part)) return visitValue(part, hiding.visit);
  const type = typeof part.type === 'string' ? part.type : '';
  if (type === 'redacted_thinking') return part;
  if (OPAQUE.has(type)) {
    hiding.skip(type);
    return part;
  }
  const hidden: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(part)) {
    if (KEPT.has(key) || (key === 'name' && type === 'tool_use')) hidden[key] = value;
    else if (key === 'content') hidden[key] = hideContent(value, hiding, isResult || type === 'tool_result');
    else if (key === 'text' && typeof value === 'string') {
      hidden[key] = isResult ? hideResult(value, hiding) : hiding.visit(value, '');
    } else hidden[key] = visitValue(value, hiding.visit);
  }
  return hidden;
}

/** `{ id, type, function: { name, arguments } }`; arguments as JSON text or as a value. */
function hideCall(call: unknown, hiding: Hiding): unknown {
  if (!isPlain(call)) return visitValue(call, hiding.visit);
  const hidden: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(call)) {
    if (KEPT.has(key) || key === 'name') hidden[key] = value;
    else if (key === 'function' && isPlain(value)) hidden[key] = hideCall(value, hiding);
    else if (key === 'arguments' && typeof value === 'string')
      hidden[key] = hideArguments(value, hiding.visit);
    else hidden[key] = visitValue(value, hiding.visit);
  }
  return hidden;
}

/** Arguments that are no JSON are hidden as text. */
export function hideArguments(text: string, visit: Visit): string {
  return visitJson(text, visit) ?? visit(text, '');
}

/** Keywords of JSON Schema whose strings are structure, not text. */
const STRUCTURE = new Set([
  'type',
  '$ref',
  '$id',
  '$schema',
  '$anchor',
  'format',
  'pattern',
  'required',
  'additionalProperties',
]);

/** A JSON Schema with its texts visited: descriptions, titles, defaults, examples, allowed values. Names stay. */
export function hideSchema(schema: unknown, visit: Visit, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((item) => hideSchema(item, visit, depth + 1));
  if (!isPlain(schema)) return visitValue(schema, visit, '', depth);
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (STRUCTURE.has(key) && typeof value !== 'object') return [key, value];
      if (key === 'required') return [key, value];
      const isNamed = /^(?:properties|\$defs|definitions|patternProperties|dependentSchemas)$/.test(key);
      if (!isNamed || !isPlain(value)) return [key, hideSchema(value, visit, depth + 1)];
      const named = Object.entries(value).map(([name, each]) => [name, hideSchema(each, visit, depth + 2)]);
      return [key, Object.fromEntries(named)];
    }),
  );
}
