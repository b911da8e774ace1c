/** What can be wrong with fetching a part of a model. @module models/blocks/errors */
import { InputError, KithError } from '../../base/index.ts';
import type { ModelManifest } from '../types.ts';
import type { Section } from './list.ts';

/** `tensor_corrupt`: bytes that are not what the list says. */
export function tensorCorrupt({ name, sha256 }: Section, from: string, actual: string): KithError {
  const what = name === '(header)' ? "the model's header" : `the tensor ${name}`;
  return new KithError(
    'tensor_corrupt',
    `${from} gave wrong bytes for ${what}: their sha256 is ${actual} instead of ${sha256}. They were thrown away.`,
    { status: 502, details: { tensor: name, source: from, expected: sha256, actual } },
  );
}

/** `source_answer`: pieces in another order than one that can be checked. */
export function outOfOrder({ name }: Section, from: string, at: number, expected: number): KithError {
  return new KithError(
    'source_answer',
    `${from} gave byte ${at} of the model where byte ${expected} of ${name} was to come.`,
    { status: 502, details: { tensor: name, source: from } },
  );
}

export function corruptWhile(path: string, name: string): InputError {
  return new InputError('source_short', `${path} became shorter while its tensor ${name} was read.`);
}

/** `tensor_list_missing` (409). */
export function noList({ id, sha256 }: ModelManifest): KithError {
  return new KithError(
    'tensor_list_missing',
    `Nothing here says which bytes the tensors of "${id}" have, so its blocks cannot be checked one by one. ` +
      `Ask the owner of a node that has the whole model for: kith models tensors ${id} --out ${id}.tensors.json ` +
      `and give it here with: kith shard download ${id} --list ${id}.tensors.json. ` +
      `Or connect to a peer of tier trusted, or a friend, that serves it; or get the whole: kith models pull ${id}`,
    { status: 409, param: 'model', details: { sha256 } },
  );
}

/** `model_not_installed` (409): tensors are missing and there is nobody to ask. */
export function notHere({ id }: ModelManifest, missing: number, download: boolean): KithError {
  const whole = `get the whole with: kith models pull ${id}`;
  return new KithError(
    'model_not_installed',
    download
      ? `${missing} tensors of "${id}" are not on this machine, and no source of it can be read in parts: ${whole}`
      : `${missing} tensors of "${id}" that are needed are not on this machine. Get them with kith shard download ${id} (and --start-block, --blocks, --ends), or ${whole}`,
    { status: 409, param: 'model', details: { missing } },
  );
}

/** `blocks_unobtainable`: what each place said. */
export function unobtainable(
  { id }: ModelManifest,
  missing: number,
  failures: readonly KithError[],
): KithError {
  const [first] = failures;
  const said = failures.length === 0 ? 'No source of it can be read in parts, and no peer has it.' : '';
  const reasons = failures.map((one) => one.message).join(' ');
  return new KithError(
    'blocks_unobtainable',
    `${missing} tensors of "${id}" are still missing. ${said}${reasons} What came is kept: try again, or get the whole with: kith models pull ${id}`,
    {
      status: 502,
      param: 'model',
      details: { missing },
      ...(first === undefined ? {} : { cause: first }),
    },
  );
}
