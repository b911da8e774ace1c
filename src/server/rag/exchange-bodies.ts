/**
 * What the routes take that bring knowledge bases out of the node and back.
 *
 * @module server/rag/exchange-bodies
 */
import { z } from 'zod';
import { absolute } from './bodies.ts';

export const notesBody = z.strictObject({
  folder: absolute,
  least: z.int().min(1).max(1_000_000).exactOptional(),
  sources: z.enum(['notes', 'files']).exactOptional(),
});
export const notesImportBody = z.strictObject({ folder: absolute, dryRun: z.boolean().default(false) });
export const backupBody = z.strictObject({ file: absolute, replace: z.boolean().default(false) });
export const restoreBody = z.strictObject({ file: absolute, folder: absolute.exactOptional() });
