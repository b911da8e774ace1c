/**
 * Hostile JSON files: read with a size limit, then taken apart with checks that name the field at fault.
 *
 * @module models/import/json
 */

import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError, messageOf } from '../../base/index.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Largest configuration or tokenizer file that is read, in bytes (the largest in use are about 35 MB). */
export const MAX_JSON_BYTES = 96 * 1024 * 1024;

/** Text of a file, or null when there is none. @throws InputError `import_file` when it is larger than `maxBytes` */
export async function readTextFile(path: string, maxBytes = MAX_JSON_BYTES): Promise<string | null> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new InputError('import_file', `${basename(path)} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new InputError(
        'import_file',
        `${basename(path)} has ${size} bytes; at most ${maxBytes} are read.`,
      );
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** The JSON object in a file, or null when the file does not exist. @throws InputError `import_json`, `import_file` */
export async function readJsonFile(path: string, maxBytes = MAX_JSON_BYTES): Promise<JsonObject | null> {
  const text = await readTextFile(path, maxBytes);
  return text === null ? null : parseJsonObject(text, basename(path));
}

/** @throws InputError `import_json` when the text is not a JSON object */
export function parseJsonObject(text: string, label: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError('import_json', `${label} is not valid JSON: ${messageOf(error)}.`, { cause: error });
  }
  if (!isObject(value))
    throw new InputError('import_json', `${label} holds no JSON object at its top level.`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number of `config.json` in [min, max]. @throws InputError `import_config` naming the field */
export function integerField(
  config: JsonObject,
  name: string,
  options: { min?: number; max: number; fallback?: number },
): number {
  const value = config[name] ?? options.fallback;
  const min = options.min ?? 1;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > options.max) {
    throw new InputError(
      'import_config',
      `config.json: ${name} is ${describe(value)}; a whole number from ${min} to ${options.max} is needed.`,
      { param: name },
    );
  }
  return value;
}

/** A finite number above zero. @throws InputError `import_config` */
export function positiveField(config: JsonObject, name: string, fallback?: number): number {
  const value = config[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new InputError(
      'import_config',
      `config.json: ${name} is ${describe(value)}; a number above 0 is needed.`,
      {
        param: name,
      },
    );
  }
  return value;
}

/** A value as an error message may show it: short, and never an object's contents. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
