/**
 * `<home>/config.yaml`: reading it with the line of every value, and editing it with its comments kept.
 *
 * The file is text from outside: its size is bounded, aliases (which can make a small file mean gigabytes) and
 * tags are refused, and nothing of it is turned into objects beyond two levels of plain values and lists of them, but for
 * the lists of `settings/lists.ts`, which are bounded in depth.
 *
 * @module base/config-file
 */
import { readFileSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document, LineCounter, Node, YAMLSeq } from 'yaml';
import { type ConfigProblem, checkKey, configError, parseValue } from './config-check.ts';
import { isListName, type ReadList, readList } from './config-lists.ts';
import { CONFIG_KEYS, type ConfigKey, isListKey } from './config-schema.ts';
import { InputError, messageOf } from './errors.ts';
import { isErrno, writeFileAtomic } from './files.ts';
import { withLock } from './lock.ts';
import { yaml } from './yaml.ts';

/** A larger file is refused before it is read. The longest sensible one has a few kB. */
export const CONFIG_FILE_MAX_BYTES = 65_536;

export interface FileValue {
  readonly key: ConfigKey;
  readonly value: unknown;
  readonly line: number;
}

export function configFilePath(home: string): string {
  return join(home, 'config.yaml');
}

export interface FileContents {
  /** Single values in their order. */
  readonly values: readonly FileValue[];
  readonly lists: readonly ReadList[];
}

/** What the file says, nothing when there is none. Everything wrong goes to `problems`. */
export function readConfigFile(path: string, problems: ConfigProblem[]): FileContents {
  const text = readText(path, problems);
  return text === null ? { values: [], lists: [] } : readConfigText(text, path, problems);
}

/** Writes one value (null removes the line, so that the default counts again). Comments and order stay. */
export async function setInFile(home: string, key: string, value: unknown): Promise<{ path: string }> {
  const problems: ConfigProblem[] = [];
  const path = configFilePath(home);
  const known = checkKey(key, null, problems);
  if (known === null) throw configError(problems);
  if (known === 'home') throw configError([homeProblem(null)]);
  const wanted = value === null ? undefined : parseValue(known, value, null, problems);
  if (problems.length > 0) throw configError(problems);

  return await withLock(
    join(home, 'run', 'config.lock'),
    { purpose: 'kith config set', waitMs: 5000 },
    async () => {
      const before = readText(path, problems) ?? '';
      const document = parse(before);
      if (document.errors.length === 0 && (document.contents === null || yaml().isMap(document.contents))) {
        const steps = known.split('.');
        if (wanted === undefined) document.deleteIn(steps);
        else document.setIn(steps, Array.isArray(wanted) ? listNode(document, steps, wanted) : wanted);
        removeEmptySection(document, steps[0]!);
      }
      const after = document.errors.length === 0 ? document.toString({ lineWidth: 0 }) : before;
      // The result is read back as the node would read it: a file is never left in a state the node refuses.
      readConfigText(after === '{}\n' ? '' : after, path, problems);
      if (problems.length > 0) throw configError(problems);
      const target = await realpath(path).catch((error: unknown) => {
        if (isErrno(error, 'ENOENT')) return path;
        throw error;
      });
      await writeFileAtomic(target, after === '{}\n' ? '' : after);
      return { path };
    },
  );
}

/** The list as it is to stand in the file: in the form it has there, with the comments of the line and of entries that stay. */
function listNode(document: Document, steps: readonly string[], wanted: readonly string[]): YAMLSeq {
  const { isNode, isScalar, isSeq } = yaml();
  const list = document.createNode(wanted, { flow: true }) as YAMLSeq;
  const before = document.getIn(steps, true);
  if (!isNode(before)) return list;
  const { comment, commentBefore } = before;
  Object.assign(list, { comment, commentBefore });
  if (!isSeq(before)) return list;
  // Without entries the block form cannot be written.
  list.flow = before.flow === true || wanted.length === 0;
  const stay = new Map(before.items.filter(isScalar).map((item) => [item.value, item]));
  list.items = list.items.map((item) => (isScalar(item) ? (stay.get(item.value) ?? item) : item));
  return list;
}

function removeEmptySection(document: Document, name: string): void {
  const section = document.get(name);
  if (yaml().isMap(section) && section.items.length === 0) document.delete(name);
}

function readText(path: string, problems: ConfigProblem[]): string | null {
  try {
    const { size } = statSync(path);
    if (size > CONFIG_FILE_MAX_BYTES) {
      problems.push({
        key: null,
        origin: path,
        message: `The file has ${size} bytes; ${CONFIG_FILE_MAX_BYTES} are allowed.`,
      });
      return null;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
    problems.push({ key: null, origin: path, message: `The file could not be read: ${messageOf(error)}.` });
    return null;
  }
}

/** The parser recurses, so deep nesting ends in a RangeError: that is bad input, not a crash. */
function parse(text: string, lines?: LineCounter): Document {
  try {
    return yaml().parseDocument(text, {
      uniqueKeys: true,
      version: '1.2',
      schema: 'core',
      ...(lines === undefined ? {} : { lineCounter: lines }),
    });
  } catch (error) {
    throw new InputError('config_invalid', `config.yaml cannot be parsed: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function readConfigText(text: string, path: string, problems: ConfigProblem[]): FileContents {
  const { isAlias, isMap, isScalar, isSeq, LineCounter } = yaml();
  const lines = new LineCounter();
  const document = parse(text, lines);
  const values: FileValue[] = [];
  const lists: ReadList[] = [];
  const lineOf = (node: Node) => lines.linePos(node.range?.[0] ?? 0).line;
  const at = (node: Node) => `${path}:${lineOf(node)}`;
  const report = (node: Node, key: string | null, message: string) => {
    problems.push({ key, origin: at(node), message });
  };

  for (const error of document.errors.slice(0, 10)) {
    const line = error.linePos?.[0].line ?? 1;
    problems.push({ key: null, origin: `${path}:${line}`, message: `YAML: ${error.message.split('\n')[0]}` });
  }
  if (document.errors.length > 0 || document.contents === null) return { values, lists };
  const read = (node: unknown, prefix: string, depth: number) => {
    if (!isMap(node)) return;
    for (const pair of node.items) {
      const { key: keyNode, value } = pair as { key: Node; value: Node | null };
      if (!isScalar(keyNode) || typeof keyNode.value !== 'string') {
        report(keyNode, null, 'A key must be plain text.');
        continue;
      }
      const key = prefix + keyNode.value;
      if (depth === 0 && isListName(key)) {
        const isEmpty = value === null || (isScalar(value) && value.value === null && !hasTag(value));
        const found = isEmpty ? null : readList(key, value, lineOf, path, problems);
        if (found !== null) lists.push(found);
      } else if (isAlias(value))
        report(value, key, 'YAML aliases are not allowed here; write the value out.');
      else if (value !== null && hasTag(value)) report(value, key, 'YAML tags are not allowed here.');
      else if (isMap(value) && depth === 0) read(value, `${key}.`, 1);
      else if (value === null || isScalar(value)) {
        // `section:` with everything in it commented out.
        if ((value === null || value.value === null) && depth === 0 && SECTIONS.has(key)) continue;
        const known = checkKey(key, at(keyNode), problems);
        if (known === 'home') problems.push(homeProblem(at(keyNode)));
        else if (known !== null) {
          const parsed = parseValue(known, value === null ? null : value.value, at(keyNode), problems);
          if (parsed !== undefined) values.push({ key: known, value: parsed, line: lineOf(keyNode) });
        }
      } else readValues(keyNode, key, value);
    }
  };
  const readValues = (keyNode: Node, key: string, node: Node) => {
    const known = checkKey(key, at(keyNode), problems);
    if (known === null) return;
    if (!isSeq(node) || !isListKey(known)) {
      const expected = isListKey(known) ? 'A list' : 'A single value';
      report(node, key, `${expected} is expected here, not ${isSeq(node) ? 'a list' : 'a map'}.`);
      return;
    }
    const entries: unknown[] = [];
    for (const item of node.items as (Node | null)[]) {
      // Tags and aliases are refused here as everywhere in the file.
      if (!isScalar(item) || hasTag(item)) {
        report(item ?? node, key, 'An entry of a list must be plain text.');
        return;
      }
      entries.push(item.value);
    }
    const parsed = parseValue(known, entries, at(keyNode), problems);
    if (parsed !== undefined) values.push({ key: known, value: parsed, line: lineOf(keyNode) });
  };
  if (isMap(document.contents)) read(document.contents, '', 0);
  else if (!(isScalar(document.contents) && document.contents.value === null)) {
    report(document.contents as Node, null, 'The file must hold keys and values, such as "server:".');
  }
  return { values, lists };
}

const SECTIONS: ReadonlySet<string> = new Set(
  CONFIG_KEYS.filter((key) => key.includes('.')).map((key) => key.split('.')[0]!),
);

function hasTag(node: Node): boolean {
  return typeof node.tag === 'string';
}

function homeProblem(origin: string | null): ConfigProblem {
  return {
    key: 'home',
    origin,
    message: 'home cannot be set in config.yaml, which lies inside it; use --home or KITH_HOME.',
  };
}
