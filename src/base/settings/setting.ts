/**
 * What a configurable value is, and the kinds of values there are.
 *
 * @module base/settings/setting
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isModelId, isWebAddress } from './forms.ts';

/** One configurable value. */
export interface Setting<T = unknown> {
  /** What it does and its unit, as one sentence for people. */
  readonly description: string;
  /** What is allowed, in words: completes "allowed: ...". */
  readonly allowed: string;
  /** Checks a value of the right JavaScript type. */
  readonly schema: z.ZodType<T>;
  readonly default: T;
  /** How the default is found when it depends on the machine or the environment: shown in place of the value. */
  readonly defaultNote?: string;
  /** Turns text (environment, flags, quoted YAML) into a candidate value; text that makes no sense stays text. */
  readonly fromText: (text: string) => unknown;
  /** Flag name when it is not the mechanical one. */
  readonly flag?: string;
  /** Never shown: printed as `[secret]`. */
  readonly secret?: boolean;
  /** Variables of other programs that say the same. The key's own variable goes before them. */
  readonly alsoEnv?: readonly OtherName[];
}

/** A variable of another program, which may write its values in its own way. */
export interface OtherName {
  readonly name: string;
  /** @default the setting's own */
  readonly fromText?: (text: string) => unknown;
  /** @default the setting's own */
  readonly allowed?: string;
}

export type Extra = Pick<Setting, 'flag' | 'defaultNote' | 'secret' | 'alsoEnv'>;

export function integer(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    description,
    allowed: `a whole number from ${min} to ${max}`,
    schema: z.int().min(min).max(max),
    default: initial,
    fromText: textToInteger,
    ...extra,
  };
}

/** Like `integer`, and null (written `auto`) leaves the choice to the node. */
export function integerOrAuto(
  description: string,
  min: number,
  max: number,
  extra: Extra = {},
): Setting<number | null> {
  return {
    description,
    allowed: `auto, or a whole number from ${min} to ${max}`,
    schema: z.union([z.null(), z.int().min(min).max(max)]),
    default: null,
    fromText: (text) => (text === 'auto' ? null : textToInteger(text)),
    ...extra,
  };
}

export function bytes(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    ...integer(description, min, max, initial, extra),
    allowed: `bytes from ${min} to ${max}, also written as 64kB, 10MB or 2GiB`,
    fromText: textToBytes,
  };
}

export function bytesOrAuto(
  description: string,
  min: number,
  max: number,
  extra: Extra = {},
): Setting<number | null> {
  return {
    ...integerOrAuto(description, min, max, extra),
    allowed: `auto, or bytes from ${min} to ${max}, also written as 512MB or 8GiB`,
    fromText: (text) => (text === 'auto' ? null : textToBytes(text)),
  };
}

export function choice<const T extends string>(
  description: string,
  values: readonly [T, ...T[]],
  initial: NoInfer<T>,
  extra: Extra = {},
): Setting<T> {
  return {
    description,
    allowed: `one of ${values.join(', ')}`,
    schema: z.enum(values) as unknown as z.ZodType<T>,
    default: initial,
    fromText: (text) => text,
    ...extra,
  };
}

export function flagSetting(description: string, initial: boolean, extra: Extra = {}): Setting<boolean> {
  return {
    description,
    allowed: 'true or false',
    schema: z.boolean(),
    default: initial,
    fromText: (text) => BOOLEANS[text.toLowerCase()] ?? text,
    ...extra,
  };
}

export function text(
  description: string,
  allowed: string,
  accept: (value: string) => boolean,
  initial: string,
  extra: Extra = {},
): Setting<string> {
  return {
    description,
    allowed,
    schema: z.string().max(1024).refine(accept),
    default: initial,
    fromText: (value) => value,
    ...extra,
  };
}

/** A number with a fraction. */
export function decimal(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    description,
    allowed: `a number from ${min} to ${max}`,
    schema: z.number().min(min).max(max),
    default: initial,
    fromText: (text) => (/^\d{1,9}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : text),
    ...extra,
  };
}

/** Several values, written with commas. */
export function list(
  description: string,
  allowed: string,
  accept: (value: string) => boolean,
  initial: readonly string[],
  extra: Extra = {},
): Setting<readonly string[]> {
  return {
    description,
    allowed,
    schema: z.array(z.string().max(1024).refine(accept)).max(100).readonly(),
    default: Object.freeze([...initial]),
    fromText: (value) =>
      value
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    ...extra,
  };
}

export const modelId = (description: string, initial: string, extra: Extra = {}) =>
  text(
    description,
    'a model id: lower-case letters, digits, ".", "_" and "-", at most 96',
    isModelId,
    initial,
    extra,
  );
export const webAddress = (description: string, initial: string, extra: Extra = {}) =>
  text(description, 'an http or https URL', isWebAddress, initial, extra);

export const path = (description: string) =>
  text(
    description,
    'an absolute path; empty for none',
    (value) => value === '' || (isAbsolute(value) && !value.includes('\0')),
    '',
  );

/** Empty: nothing is sent anywhere. */
export const targetAddress = (description: string, extra: Extra = {}) =>
  text(
    description,
    'an http or https URL, or empty for none',
    (value) => value === '' || isWebAddress(value),
    '',
    extra,
  );

/** Empty, or as `accept` has it. */
export function optionalText(
  description: string,
  allowed: string,
  accept: (value: string) => boolean,
  extra: Extra = {},
): Setting<string> {
  return text(
    description,
    `${allowed}, or empty for none`,
    (value) => value === '' || accept(value),
    '',
    extra,
  );
}

/** The same names with `_` for `-`, as other programs write them. */
export function underscored(name: string): OtherName {
  return { name, fromText: (value) => value.toLowerCase().replaceAll('_', '-') };
}

/** The same time in seconds, with a fraction where wanted, as other programs write it. */
export function inSeconds(name: string, min: number, max: number): OtherName {
  return {
    name,
    allowed: `seconds from ${min / 1000} to ${max / 1000}, such as 30 or 1.5`,
    fromText: (value) =>
      /^\d{1,9}(\.\d{1,9})?$/.test(value.trim()) ? Math.round(Number(value) * 1000) : value,
  };
}

export const DAY_MS = 86_400_000;
export const GB = 1_000_000_000;

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function textToInteger(text: string): unknown {
  return /^[+-]?\d{1,16}$/.test(text.trim()) ? Number(text) : text;
}

function textToBytes(text: string): unknown {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([kmgt]?i?b?)$/i.exec(text.trim());
  const unit = match === null ? undefined : BYTE_UNITS[match[2]!.toLowerCase()];
  return match === null || unit === undefined ? text : Math.round(Number(match[1]) * unit);
}
