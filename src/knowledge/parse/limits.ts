/**
 * The bounds of a file unless the owner sets others.
 *
 * @module knowledge/parse/limits
 */
import type { ParseLimits } from './types.ts';

const MB = 1024 * 1024;

export const DEFAULT_LIMITS: ParseLimits = {
  bytes: 64 * MB,
  characters: 16_000_000,
  depth: 100,
  entries: 20_000,
  inflatedBytes: 256 * MB,
  ratio: 200,
  pages: 10_000,
  rows: 200_000,
  links: 20_000,
};
