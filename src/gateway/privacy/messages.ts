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
  /** Replaces what is in a text that takes letters, digits and `_` only, or is a pattern: ids, keys, paths. */
  readonly visitKey: (text: string) => string;
  /** Looks into a text that must stay as it is: the name of a tool. */
  readonly check: (text: string, what: string) => void;
  /** Notes something that was not looked into. */
  readonly skip: (what: string) => void;
}

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields that the protocols give meaning to. */
const KEPT = new Set([
  'type',
  'role',
  'index',
  'cache_control',
  'is_error',
  // What a provider sealed comes back to it as it was.
  'signature',
  'encrypted_content',
]);
/** Fields by which calls and their results find each other: the same value gets the same placeholder. */
const IDS = new Set(['id', 'tool_call_id', 'tool_use_id', 'call_id']);
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
    else if (IDS.has(key)) hidden[key] = hideId(value, hiding);
    // The name of a tool's answer is the tool's.
    else if (key === 'name' && typeof value === 'string') {
      const isTool = role === 'tool' || role === 'function';
      hidden[key] = isTool ? keepName(value, hiding) : hiding.visitName(value);
    } else if (key === 'content')
      hidden[key] = hideContent(value, hiding, role === 'tool' || role === 'function');
    else if (key === 'tool_calls' && Array.isArray(value))
      hidden[key] = value.map((call) => hideCall(call, hiding));
    else hidden[key] = visitValue(value, hiding.visit);
  }
  return hidden as M;
}

const hideId = (value: unknown, { visit, visitKey }: Hiding): unknown =>
  typeof value === 'string' ? visitKey(value) : visitValue(value, visit);

/** Calls find their tools by name. */
function keepName(value: unknown, { check, visit }: Hiding): unknown {
  if (typeof value !== 'string') return visitValue(value, visit);
  check(value, 'name of a tool');
  return value;
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
    if (KEPT.has(key)) hidden[key] = value;
    else if (IDS.has(key)) hidden[key] = hideId(value, hiding);
    else if (key === 'name' && type === 'tool_use') hidden[key] = keepName(value, hiding);
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
    if (KEPT.has(key)) hidden[key] = value;
    else if (IDS.has(key)) hidden[key] = hideId(value, hiding);
    else if (key === 'name') hidden[key] = keepName(value, hiding);
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

/** Keywords of JSON Schema whose strings are words of the language. */
const WORDS = new Set(['type', '$schema', 'format', 'contentEncoding', 'contentMediaType']);
/** Keywords whose strings refer to names, or are patterns: they are given in letters, digits and `_`. */
const REFERENCES = new Set([
  '$ref',
  '$id',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  'pattern',
  'required',
]);
/** Keywords whose keys are names, or patterns of names. */
const NAMED = new Set([
  'properties',
  '$defs',
  'definitions',
  'patternProperties',
  'dependentSchemas',
  'dependentRequired',
]);

/**
 * A JSON Schema with its texts visited: descriptions, titles, defaults, examples, allowed values. Names stay, but for
 * personal data in them.
 */
export function hideSchema(schema: unknown, hiding: Hiding, depth = 0): unknown {
  const { visit, visitKey } = hiding;
  if (Array.isArray(schema)) return schema.map((item) => hideSchema(item, hiding, depth + 1));
  if (!isPlain(schema)) return visitValue(schema, visit, '', depth);
  const names = (value: unknown): unknown => {
    if (typeof value === 'string') return visitKey(value);
    return Array.isArray(value) ? value.map(names) : hideSchema(value, hiding, depth + 1);
  };
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (WORDS.has(key) && typeof value !== 'object') return [key, value];
      if (key === 'type') return [key, value];
      if (REFERENCES.has(key)) return [key, names(value)];
      if (!NAMED.has(key) || !isPlain(value)) return [visitKey(key), hideSchema(value, hiding, depth + 1)];
      const inner = (each: unknown) =>
        key === 'dependentRequired' ? names(each) : hideSchema(each, hiding, depth + 2);
      return [
        key,
        Object.fromEntries(Object.entries(value).map(([name, each]) => [visitKey(name), inner(each)])),
      ];
    }),
  );
}
