/**
 * The manifest of a model: what it is, how many bytes, which sha256, where it comes from. One schema reads every
 * manifest, whether it came from this disk, from a user or (later) from a peer.
 *
 * @module models/manifest/manifest
 */

import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ModelManifest } from '../types.ts';

/** A manifest's text may be this long: the chat template is the only part that grows. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

const ID = /^[a-z0-9][a-z0-9._-]{0,95}$/;
const text = (max: number) => z.string().min(1).max(max);
const count = (max: number) => z.number().int().min(0).max(max);

const conversion = z.strictObject({
  from: z.enum(['safetensors', 'llama2c', 'onnx']),
  quantisation: z.enum(['F16', 'Q8_0', 'Q4_0']),
});

const source = z.strictObject({
  parts: z.array(text(4096)).min(1).max(4096),
  convert: conversion.optional(),
});

const manifest = z.strictObject({
  schema: z.literal(1),
  id: z.string().regex(ID, 'must match ^[a-z0-9][a-z0-9._-]{0,95}$'),
  name: text(512),
  family: text(128),
  task: z.enum(['chat', 'completion', 'embedding', 'rerank']),
  format: z.literal('gguf'),
  quantisation: text(64),
  bytes: count(Number.MAX_SAFE_INTEGER),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'),
  licence: text(256).nullable(),
  context: count(1 << 30),
  blocks: count(1 << 20),
  embedding: count(1 << 24),
  matryoshka: count(1 << 24)
    .min(1)
    .optional(),
  template: text(512 * 1024).nullable(),
  sources: z.array(source).max(64),
  converted: conversion.optional(),
});

/** Whether `id` can name a model: it is a folder name and a field of the API, so the pattern is narrow. */
export function isModelId(id: string): boolean {
  return ID.test(id) && !id.includes('..');
}

/** Returns `id`, or throws InputError `model_id_invalid`. */
export function checkModelId(id: string): string {
  if (isModelId(id)) return id;
  throw new InputError(
    'model_id_invalid',
    `"${id.slice(0, 120)}" is no model id: use 1 to 96 of a-z, 0-9, ".", "_" and "-", starting with a letter or digit, without "..".`,
    { param: 'model' },
  );
}

/**
 * Reads a manifest from JSON text or from a parsed value.
 *
 * @throws InputError `manifest_invalid` naming the field that is wrong.
 */
export function parseManifest(input: unknown, origin = 'the manifest'): ModelManifest {
  let value = input;
  if (typeof input === 'string') {
    if (Buffer.byteLength(input) > MAX_MANIFEST_BYTES) {
      throw new InputError('manifest_invalid', `${origin} is larger than ${MAX_MANIFEST_BYTES} bytes.`);
    }
    try {
      value = JSON.parse(input);
    } catch (cause) {
      throw new InputError('manifest_invalid', `${origin} is not JSON: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  const result = manifest.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue?.path.map(String).join('.') || '(the whole)';
    throw new InputError(
      'manifest_invalid',
      `${origin}: field ${field}: ${issue?.message ?? 'is invalid'}.`,
      {
        param: field,
        cause: result.error,
      },
    );
  }
  checkModelId(result.data.id);
  return tidy(result.data);
}

/** JSON text of a manifest: two spaces, fields in the schema's order, a newline at the end. */
export function serialiseManifest(value: ModelManifest): string {
  return `${JSON.stringify(parseManifest(value), null, 2)}\n`;
}

/** Drops what is absent, so that the type with exact optional properties holds. */
function tidy({ converted, matryoshka, ...data }: z.infer<typeof manifest>): ModelManifest {
  return {
    ...data,
    ...(matryoshka === undefined ? {} : { matryoshka }),
    ...(converted === undefined ? {} : { converted }),
    sources: data.sources.map(({ parts, convert }) =>
      convert === undefined ? { parts } : { parts, convert },
    ),
  };
}
