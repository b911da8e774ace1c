/**
 * From a reference to files: which files of a repository or package make the model, what must be converted, and
 * what the model is called when nobody says.
 *
 * @module models/store/choose
 */

import { InputError } from '../../base/index.ts';
import { isModelId } from '../manifest/manifest.ts';
import type { ListedFile, SourceRegistry } from '../sources/source.ts';
import { baseName, parseHubUri, parseNpmUri, splitUri } from '../sources/uri.ts';
import type { ModelSource } from '../types.ts';

export type ConvertFrom = NonNullable<ModelSource['convert']>['from'];

export interface Choice {
  readonly uris: readonly string[];
  /** Null: the URIs are the GGUF. */
  readonly from: ConvertFrom | null;
}

/** Files that converters read beside the weights. */
const COMPANIONS =
  /(^|\/)(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|modules|sentence_bert_config|chat_template|model\.safetensors\.index)\.json$|(^|\/)(vocab\.txt|merges\.txt|chat_template\.jinja|tokenizer\.model)$/;

/** How the file that a URI names is read. */
export function kindOf(uri: string): 'gguf' | ConvertFrom {
  const name = baseName(uri).toLowerCase();
  if (name.endsWith('.safetensors')) return 'safetensors';
  if (name.endsWith('.onnx')) return 'onnx';
  if (name.endsWith('.bin') || name.endsWith('.data')) return 'llama2c';
  return 'gguf';
}

/**
 * The files to fetch for a reference of one or more URIs.
 *
 * @throws InputError `model_ambiguous` when several files could be meant (the message lists them);
 * `model_not_in_source` when none could.
 */
export async function chooseFiles(
  refs: readonly string[],
  sources: SourceRegistry,
  options: { readonly prefer?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Choice> {
  for (const ref of refs) sources.for(ref);
  const ref = refs[0]!;
  if (refs.length > 1) {
    const weights = refs.map(kindOf).find((kind) => kind === 'safetensors' || kind === 'onnx');
    return { uris: refs, from: weights ?? null };
  }
  if (namesFolder(ref)) return await chooseFromFolder(ref, sources, options);
  const kind = kindOf(ref);
  if (kind === 'gguf' || kind === 'llama2c') return { uris: [ref], from: kind === 'gguf' ? null : kind };
  const files = await siblings(ref, sources, options.signal);
  return {
    uris: [ref, ...files.filter((file) => file.uri !== ref && isCompanion(file)).map((file) => file.uri)],
    from: kind,
  };
}

function namesFolder(uri: string): boolean {
  const { scheme } = splitUri(uri);
  if (scheme === 'hf') return parseHubUri(uri).path === '';
  if (scheme !== 'npm') return false;
  const { path } = parseNpmUri(uri);
  return path === '' || path.endsWith('/');
}

async function chooseFromFolder(
  ref: string,
  sources: SourceRegistry,
  options: { readonly prefer?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Choice> {
  const files = (await sources.for(ref).list?.(ref, { signal: options.signal })) ?? [];
  const wanted = options.prefer?.toLowerCase();
  for (const extension of ['.gguf', '.safetensors', '.onnx']) {
    let found = files.filter((file) => file.path.toLowerCase().endsWith(extension));
    if (found.length === 0) continue;
    if (extension === '.gguf' && found.length > 1 && wanted !== undefined) {
      found = found.filter((file) => file.path.toLowerCase().includes(wanted));
    }
    if (extension === '.safetensors') {
      // Sharded weights go together; a repository's copies in other folders do not.
      const depth = Math.min(...found.map((file) => file.path.split('/').length));
      found = found.filter((file) => file.path.split('/').length === depth);
    } else if (found.length !== 1) throw ambiguous(ref, found.length === 0 ? files : found, extension);
    if (extension === '.gguf') return { uris: [found[0]!.uri], from: null };
    const companions = files.filter(isCompanion).filter((file) => !found.includes(file));
    return {
      uris: [...found, ...shallowest(companions)].map((file) => file.uri),
      from: extension === '.onnx' ? 'onnx' : 'safetensors',
    };
  }
  throw new InputError(
    'model_not_in_source',
    `${ref} has no .gguf, .safetensors or .onnx file. Name the file itself: ${ref.replace(/\/$/, '')}/...`,
    { param: 'source' },
  );
}

function ambiguous(ref: string, files: readonly ListedFile[], extension: string): InputError {
  const names = files.filter((file) => file.path.toLowerCase().endsWith(extension)).map((file) => file.uri);
  const shown = names.slice(0, 20).join('\n  ');
  return new InputError(
    'model_ambiguous',
    `${ref} has ${names.length} files that could be meant. Name one of them:\n  ${shown}${names.length > 20 ? '\n  ...' : ''}`,
    { param: 'source' },
  );
}

/** Files of the same repository or package, where the source can list. */
async function siblings(
  ref: string,
  sources: SourceRegistry,
  signal: AbortSignal | undefined,
): Promise<readonly ListedFile[]> {
  const { scheme } = splitUri(ref);
  let folder: string;
  if (scheme === 'hf') {
    const { owner, repo, revision } = parseHubUri(ref);
    folder = `hf:${owner}/${repo}@${revision}`;
  } else if (scheme === 'npm') {
    const { name, version } = parseNpmUri(ref);
    folder = `npm:${name}@${version}/`;
  } else return [];
  return shallowest(((await sources.for(folder).list?.(folder, { signal })) ?? []).filter(isCompanion));
}

const isCompanion = (file: ListedFile): boolean => COMPANIONS.test(file.path);

/** One file per base name, the one nearest the root: they will lie in one folder. */
function shallowest(files: readonly ListedFile[]): ListedFile[] {
  const byName = new Map<string, ListedFile>();
  const depth = (file: ListedFile) => file.path.split('/').length;
  for (const file of [...files].sort((a, b) => depth(a) - depth(b))) {
    const name = file.path.split('/').at(-1)!;
    if (!byName.has(name)) byName.set(name, file);
  }
  return [...byName.values()];
}

/** An id made from a file, repository or package name. */
export function suggestId(ref: string): string {
  const { scheme } = splitUri(ref);
  let name = baseName(ref);
  if (scheme === 'hf') {
    const { path, repo } = parseHubUri(ref);
    if (path === '' || !path.toLowerCase().endsWith('.gguf')) name = repo;
  } else if (scheme === 'npm' && !name.toLowerCase().endsWith('.gguf')) name = parseNpmUri(ref).name;
  return toId(name);
}

/** The nearest valid id to a name. */
export function toId(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/\.(gguf|safetensors|onnx|bin|data)$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, 96);
  return isModelId(id) ? id : 'model';
}

/** What a conversion writes when the caller wants `quantisation`. @throws InputError `quantisation_unsupported` */
export function targetOf(quantisation: string | undefined): 'F16' | 'Q8_0' | 'Q4_0' {
  const wanted = (quantisation ?? 'Q8_0').toUpperCase();
  if (wanted === 'F16' || wanted === 'Q8_0' || wanted === 'Q4_0') return wanted;
  throw new InputError(
    'quantisation_unsupported',
    `Converting makes F16, Q8_0 or Q4_0, not ${wanted.slice(0, 40)}.`,
    {
      param: 'quantisation',
    },
  );
}
