/**
 * Reading the lists of config.yaml (backends, agents, budgets, patterns): plain values out of the document with the line of each,
 * checked, with errors that name the place as people write it (`backends[2].url`).
 *
 * @module base/config-lists
 */
import type { Node } from 'yaml';
import { type ConfigProblem, nearest, showValue } from './config-check.ts';
import { LIST_NAMES, LIST_SCHEMAS, type ListName, type Lists, SECRET_FIELDS } from './settings/lists.ts';
import { yaml } from './yaml.ts';

/** Deeper than anything that is allowed, so that the schema's message is the one that is read. */
const maxDepth = 8;

export interface ReadList {
  readonly name: ListName;
  readonly value: Lists[ListName];
  /** 1-based, of the place, or of the nearest one above that stands in the file. */
  readonly line: (path: readonly PropertyKey[]) => number;
}

export function isListName(text: string): text is ListName {
  return (LIST_NAMES as readonly string[]).includes(text);
}

/** One list of the document; null with problems when it is not as it should be. */
export function readList(
  name: ListName,
  node: Node,
  lineOf: (node: Node) => number,
  file: string,
  problems: ConfigProblem[],
): ReadList | null {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  const lines = new Map<string, number>();
  const before = problems.length;
  const report = (at: Node, path: readonly PropertyKey[], message: string) => {
    problems.push({
      key: pathText(path),
      origin: `${file}:${lineOf(at)}`,
      message: `${pathText(path)} ${message}`,
    });
  };

  function plain(at: Node | null, path: readonly PropertyKey[], depth: number): unknown {
    if (at === null) return null;
    lines.set(pathText(path), lineOf(at));
    if (isAlias(at))
      return void report(at, path, 'is a YAML alias, which is not allowed here; write the value out.');
    if (typeof at.tag === 'string')
      return void report(at, path, 'has a YAML tag, which is not allowed here.');
    if (depth > maxDepth) return void report(at, path, 'is nested too deeply.');
    if (isScalar(at)) return at.value;
    if (isSeq(at))
      return at.items.map((item, index) => plain(item as Node | null, [...path, index], depth + 1));
    if (!isMap(at)) return undefined;
    const entries: [string, unknown][] = [];
    for (const pair of at.items as { key: Node; value: Node | null }[]) {
      if (!isScalar(pair.key) || typeof pair.key.value === 'object') {
        report(pair.key, path, 'has a key that is not plain text.');
        continue;
      }
      const key = String(pair.key.value);
      const inner = [...path, key];
      // The schema would pass over it without a word.
      if (key === '__proto__') {
        report(pair.key, inner, 'is no name that is allowed here.');
        continue;
      }
      const value = plain(pair.value, inner, depth + 1);
      lines.set(pathText(inner), lineOf(pair.key));
      entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  const raw = plain(node, [name], 0);
  if (problems.length > before) return null;
  const line = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const known = lines.get(pathText(path.slice(0, length)));
      if (known !== undefined) return known;
    }
    return lineOf(node);
  };
  const result = LIST_SCHEMAS[name].safeParse(raw);
  if (result.success) return { name, value: result.data, line };
  for (const issue of result.error.issues) {
    const path = [name, ...issue.path];
    for (const [at, message] of messagesOf(issue as Issue, path, raw))
      problems.push({ key: pathText(at), origin: `${file}:${line(at)}`, message });
  }
  return null;
}

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly keys?: readonly string[];
  readonly params?: { readonly whole?: boolean };
  readonly issues?: readonly { readonly message: string }[];
  readonly errors?: readonly (readonly Issue[])[];
}

/** An issue in words, with the place that each concerns. */
function messagesOf(
  issue: Issue,
  path: readonly PropertyKey[],
  raw: unknown,
): (readonly [readonly PropertyKey[], string])[] {
  const place = pathText(path);
  const value = valueAt(raw, path.slice(1));
  if (issue.code === 'unrecognized_keys')
    return issue.keys!.map((key) => {
      const near = nearest(key, FIELDS);
      const hint =
        near === null || near === key ? 'docs/gateway.md names those there are.' : `Did you mean ${near}?`;
      return [[...path, key], `${pathText([...path, key])} is unknown. ${hint}`];
    });
  if (issue.params?.whole === true) return [[path, `${place} ${issue.message}.`]];
  if (issue.code === 'invalid_key')
    return [
      [
        path,
        `${place} is no name that is allowed here; allowed: ${issue.issues?.[0]?.message ?? issue.message}.`,
      ],
    ];
  if (value === undefined) return [[path, `${place} is missing; allowed: ${issue.message}.`]];
  const secret = path.some((step) => SECRET_FIELDS.has(String(step)));
  const shown = secret || typeof value === 'object' ? 'The value' : showValue(value);
  return [[path, `${shown} is not allowed for ${place}; allowed: ${issue.message}.`]];
}

const FIELDS = [
  ...['name', 'kind', 'url', 'nodes', 'peer', 'key', 'network', 'owned', 'region', 'models', 'anyModel'],
  ...[
    'defaults',
    'aliases',
    'prices',
    'facts',
    'limits',
    'maxConnections',
    'headers',
    'tls',
    'healthPath',
    'modelsTtlMs',
  ],
  ...['maxTokens', 'version', 'model', 'privacy', 'route', 'agent', 'backend', 'money', 'tokens', 'per'],
  ...['connectMs', 'headersMs', 'firstTokenMs', 'interTokenMs', 'totalMs', 'prompt', 'completion', 'context'],
  ...[
    'parameters',
    'quality',
    'tools',
    'json',
    'vision',
    'continues',
    'chat',
    'embedding',
    'fast',
    'pattern',
    'class',
    'ignoreCase',
  ],
] as const;

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** `backends[2].aliases.fast`. Keys come from outside: long ones are cut, odd ones are quoted. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = String(step);
      const written = /^[\w.-]{1,80}$/.test(key) ? key : JSON.stringify(key.slice(0, 80));
      return index === 0 ? written : `.${written}`;
    })
    .join('');
}
