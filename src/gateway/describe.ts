/**
 * Describes models of this disk from what their files say.
 *
 * @module gateway/describe
 */
import { describeModel, fileSource, type GgufValue, type ModelManifest, readGguf } from '../models/index.ts';
import type { ModelDescription } from './types.ts';

type Described = Pick<ModelDescription, 'parameters' | 'template' | 'metadata'>;

const templateKey = 'tokenizer.chat_template';
/** Files whose facts are remembered; a header with its vocabulary takes tens of ms to read. */
const remembered = 64;
/** Longer texts say nothing about a model that anybody reads in a list of facts. */
const longestText = 4096;

/** Facts of a model by its manifest and where its file is; null when it is not here. */
export function createDescriptions(): (manifest: ModelManifest, path: string | null) => Promise<Described> {
  /** By sha256. */
  const known = new Map<string, Promise<Described>>();
  return async ({ sha256, template }, path) => {
    if (path === null) return { parameters: null, template: null, metadata: null };
    const reading = known.get(sha256) ?? read(path);
    // Used last goes last; the first makes room.
    known.delete(sha256);
    known.set(sha256, reading);
    reading.catch(() => known.delete(sha256));
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
    const facts = await reading;
    return template === null || template === 'gguf' ? facts : { ...facts, template };
  };
}

async function read(path: string): Promise<Described> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  const metadata: Record<string, string | number | boolean> = {};
  for (const [key, entry] of gguf.metadata) {
    const value = plain(entry);
    if (value !== null && !key.startsWith(templateKey)) metadata[key] = value;
  }
  const template = gguf.metadata.get(templateKey)?.value;
  return {
    parameters: describeModel(gguf).parameters,
    template: typeof template === 'string' ? template.toWellFormed() : null,
    metadata,
  };
}

/** Null for what has no place in a list of facts. Integers that JavaScript cannot hold exactly become text. */
function plain({ type, value }: GgufValue): string | number | boolean | null {
  if (type === 'array') return null;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'string') return value.length > longestText ? null : value.toWellFormed();
  return value as boolean;
}
