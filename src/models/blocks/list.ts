/**
 * Tensor lists: where each tensor of one GGUF lies and the sha256 of its bytes, and the same of the header. With a list
 * that is trusted, any part of the file can come from anybody.
 *
 * As JSON (`schema` 1): `{ schema, model, bytes, sections: [[name, offset, bytes, sha256], ...] }`. The first section is the
 * header, bytes [0, offset of the first tensor), under the name `(header)`; the tensors follow in the order of the file. The
 * list's root, the sha256 of its canonical JSON (RFC 8785), names it.
 *
 * @module models/blocks/list
 */
import { createHash } from 'node:crypto';
import { canonicalBytes, InputError } from '../../base/index.ts';
import { GGUF_LIMITS } from '../gguf/limits.ts';
import type { Gguf, ModelManifest } from '../types.ts';

/** A stretch of the file that is checked as one: the header, or a tensor. */
export interface Section {
  /** Name of the tensor; `(header)` for the header. */
  readonly name: string;
  /** Absolute, in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface TensorList {
  /** Lower-case hex sha256 of the whole GGUF. */
  readonly model: string;
  /** Of the whole GGUF. */
  readonly bytes: number;
  /** The header, then the tensors by ascending offset; they do not overlap. */
  readonly sections: readonly [Section, ...Section[]];
  /** Lower-case hex sha256 that names the list. */
  readonly root: string;
}

export const HEADER = '(header)';
/** Text of a list, bytes. About 130 for each tensor. */
export const MAX_LIST_BYTES = 32 << 20;
const HEX = /^[0-9a-f]{64}$/;

type Row = readonly [name: string, offset: number, bytes: number, sha256: string];

function invalid(why: string): InputError {
  return new InputError('tensor_list_invalid', `This is no list of a model's tensors: ${why}.`);
}

/** @throws {InputError} `tensor_list_invalid` unless the sections are those of one file, in order */
export function tensorList(model: string, bytes: number, sections: readonly Section[]): TensorList {
  if (!HEX.test(model)) throw invalid('"model" is not 64 lower-case hex digits');
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw invalid(`the model has ${bytes} bytes`);
  const [header, ...tensors] = sections;
  if (header === undefined || header.name !== HEADER || header.offset !== 0)
    throw invalid('it does not begin with the header');
  if (header.bytes < 1 || header.bytes > GGUF_LIMITS.headerBytes)
    throw invalid(`a header of ${header.bytes} bytes is not between 1 and ${GGUF_LIMITS.headerBytes}`);
  if (tensors.length > GGUF_LIMITS.tensors)
    throw invalid(`${tensors.length} tensors are more than ${GGUF_LIMITS.tensors}`);
  const names = new Set<string>();
  let end = 0;
  for (const section of sections) {
    const { name, offset, bytes: length, sha256 } = section;
    if (name.length < 1 || name.length > GGUF_LIMITS.nameBytes || names.has(name) || !HEX.test(sha256))
      throw invalid(`its row of "${name.slice(0, 80)}" is invalid or there twice`);
    names.add(name);
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || length < 0 || offset < end)
      throw invalid(`"${name}" does not lie behind what stands before it`);
    end = offset + length;
  }
  if (end > bytes) throw invalid(`its last tensor ends at byte ${end} of ${bytes}`);
  const kept = sections.map(({ name, offset, bytes: length, sha256 }) => ({
    name,
    offset,
    bytes: length,
    sha256,
  })) as [Section, ...Section[]];
  const root = createHash('sha256').update(canonicalBytes(plain(model, bytes, kept)));
  return { model, bytes, sections: kept, root: root.digest('hex') };
}

function plain(model: string, bytes: number, sections: readonly Section[]) {
  const rows = sections.map(({ name, offset, bytes: length, sha256 }) => [name, offset, length, sha256]);
  return { schema: 1, model, bytes, sections: rows };
}

/** @throws {InputError} `tensor_list_invalid` */
export function parseTensorList(input: unknown): TensorList {
  const value = typeof input === 'string' ? json(input) : input;
  if (typeof value !== 'object' || value === null) throw invalid('it is no object');
  const { schema, model, bytes, sections } = value as Record<string, unknown>;
  if (schema !== 1) throw invalid('its "schema" is not 1');
  if (typeof model !== 'string' || typeof bytes !== 'number') throw invalid('"model" or "bytes" is missing');
  if (!Array.isArray(sections) || sections.length > GGUF_LIMITS.tensors + 1)
    throw invalid(`"sections" is no list of at most ${GGUF_LIMITS.tensors + 1} rows`);
  return tensorList(
    model,
    bytes,
    sections.map((row: unknown): Section => {
      if (!isRow(row)) throw invalid('a row is not [name, offset, bytes, sha256]');
      const [name, offset, length, sha256] = row;
      return { name, offset, bytes: length, sha256 };
    }),
  );
}

function isRow(row: unknown): row is Row {
  const types = ['string', 'number', 'number', 'string'];
  return Array.isArray(row) && row.length === 4 && row.every((field, i) => typeof field === types[i]);
}

function json(text: string): unknown {
  if (text.length > MAX_LIST_BYTES) throw invalid(`it is longer than ${MAX_LIST_BYTES} bytes`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is not JSON (${(cause as Error).message})`);
  }
}

/** One line; what `parseTensorList` reads. */
export function serialiseTensorList({ model, bytes, sections }: TensorList): string {
  return `${JSON.stringify(plain(model, bytes, sections))}\n`;
}

/** @throws {InputError} `tensor_list_mismatch` unless the list is of the model that the manifest is about */
export function checkListOf(list: TensorList, { id, sha256, bytes }: ModelManifest): void {
  if (list.model === sha256 && list.bytes === bytes) return;
  throw new InputError(
    'tensor_list_mismatch',
    `The list of tensors is of a model with sha256 ${list.model} (${list.bytes} bytes); "${id}" has ${sha256} (${bytes} bytes). Make one of the right file with: kith models tensors ${id}`,
    { param: 'list' },
  );
}

/** @throws {InputError} `tensor_list_invalid` unless the tensors of the header are those of the list */
export function checkHeader(list: TensorList, gguf: Gguf): void {
  const [header, ...tensors] = list.sections;
  const same =
    header.bytes === gguf.dataOffset &&
    tensors.length === gguf.tensors.size &&
    tensors.every(({ name, offset, bytes }) => {
      const tensor = gguf.tensors.get(name);
      return tensor?.offset === offset && tensor.bytes === bytes;
    });
  if (!same) throw invalid(`its tensors are not those of the header of ${list.model}`);
}
