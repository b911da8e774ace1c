/**
 * What the routes of knowledge bases take.
 *
 * @module server/rag/bodies
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { languageField } from './language.ts';
import { stepFields } from './step-bodies.ts';
import { newChunkingBody } from './upkeep-bodies.ts';

/** Characters of a path, on the disk or in a knowledge base. */
const MOST_PATH = 4096;
const MOST_PATHS = 1000;

const text = z
  .string()
  .min(1)
  .max(MOST_PATH)
  .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be a path');
export const absolute = text.refine(
  isAbsolute,
  'must be an absolute path of the machine that the node runs on',
);
/** Where something stands in a knowledge base. */
export const place = text.refine((value) => !value.startsWith('/'), 'must not begin with /');
/** Where something is put: clients cut `..` out of addresses, so that nobody could name it any more. */
const put = place.refine(
  (value) => !/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(value.replace(/\/$/, '')),
  'must have no empty part and none of dots alone',
);
const folder = put.refine((value) => value.endsWith('/'), 'must end in /');

export const kbBody = z.strictObject({
  name: z.string().min(1).max(64),
  folder: absolute.exactOptional(),
  keepFolders: z.boolean().exactOptional(),
  chunking: newChunkingBody.exactOptional(),
});

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const destroyQuery = z.strictObject({ keep: flag.default(false) });

export const uploadQuery = z.strictObject({
  path: put.refine((value) => !value.endsWith('/'), 'must not end in /').exactOptional(),
});
export const ingestBody = z.strictObject({
  paths: z.array(absolute).min(1).max(MOST_PATHS),
  under: folder.exactOptional(),
  retry: z.boolean().default(true),
});

export const syncBody = z
  .strictObject({
    folder: absolute.exactOptional(),
    under: folder.exactOptional(),
    allowEmpty: z.boolean().default(false),
    dryRun: z.boolean().default(false),
  })
  .refine(({ folder: named, under }) => under === undefined || named !== undefined, {
    path: ['under'],
    message: 'goes with `folder`',
  });

export const unfollowQuery = z.strictObject({ folder: absolute, keep: flag.default(false) });

export const whole = (most: number, name: string, least = 1) =>
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `${name} must be from ${least} to ${most}`);

export const jobQuery = z.strictObject({
  seen: z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .exactOptional(),
});
const paged = { after: text.exactOptional(), limit: whole(1000, 'limit').default(100) };
export const pageQuery = z.strictObject(paged);
export const filesQuery = z.strictObject({
  ...paged,
  stage: z.enum(['waiting', 'parsed', 'chunked', 'embedded', 'done', 'skipped', 'failed']).exactOptional(),
});

/** @throws InputError `job_invalid` */
export function jobId(value: string): number {
  if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new InputError('job_invalid', `'${value.slice(0, 40)}' is no job: it must be a number.`, {
    param: 'job',
  });
}

const strings = (most: number) => z.array(z.string().min(1).max(MOST_PATH)).min(1).max(most);
const moment = z.int().min(0).max(8_640_000_000_000_000);
const property = z.union([
  z.string().max(MOST_PATH),
  z.number(),
  z.boolean(),
  z.array(z.string().max(MOST_PATH)).max(100),
]);

const propertyTest = z
  .strictObject({
    property: z.string().min(1).max(200),
    is: z.enum(['=', '!=', '<', '<=', '>', '>=', 'set', 'unset']).default('='),
    value: z.union([z.string().max(MOST_PATH), z.number(), z.boolean()]).exactOptional(),
  })
  .refine(({ is, value }) => (is === 'set' || is === 'unset') === (value === undefined), {
    path: ['value'],
    message: 'goes with all but `set` and `unset`',
  });

/** Which documents count. */
export const filterBody = z.strictObject({
  paths: strings(500).exactOptional(),
  types: strings(50).exactOptional(),
  tags: strings(50).exactOptional(),
  modifiedFrom: moment.exactOptional(),
  modifiedTo: moment.exactOptional(),
  properties: z
    .record(z.string().min(1).max(200), property)
    .refine((value) => Object.keys(value).length <= 50, 'must have at most 50')
    .exactOptional(),
  globs: z.array(z.string().min(1).max(500)).min(1).max(50).exactOptional(),
  where: z.array(propertyTest).min(1).max(50).exactOptional(),
});
export const modeBody = z.enum(['auto', 'both', 'words', 'vectors', 'graph']);

export const searchBody = z.strictObject({
  query: z.string().min(1).max(20_000),
  k: z.int().min(1).max(200).default(10),
  mode: modeBody.default('auto'),
  neighbours: z.int().min(0).max(8).default(0),
  diversity: z.number().min(0).max(1).exactOptional(),
  filter: filterBody.exactOptional(),
  writer: z.string().min(1).max(200).nullable().exactOptional(),
  ...languageField,
  ...stepFields,
});
