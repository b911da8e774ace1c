/**
 * What this node serves of which models, in `shards/serving.json`: served again after a restart.
 *
 * @module node/shards/serving-file
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isKithError, messageOf, oneAtATime, readFileBounded, writeFileAtomic } from '../../base/index.ts';
import { isModelId } from '../../models/index.ts';

/** Ranges at once. */
export const MOST_RANGES = 16;
const MAX_BYTES = 64 * 1024;
const MAX_BLOCK = 4096;

const range = z
  .strictObject({
    model: z.string().refine(isModelId),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    from: z.int().min(0).max(MAX_BLOCK),
    to: z.int().min(1).max(MAX_BLOCK),
    auto: z.boolean(),
    /** Blocks that a range which was chosen by itself may have; null: as many as fit. */
    most: z.int().min(1).max(MAX_BLOCK).nullable().default(null),
  })
  .refine(({ from, to }) => from < to);
const contents = z.strictObject({ version: z.literal(1), served: z.array(range).max(MOST_RANGES) });

/** Blocks [from, to) of a model, as the owner asked for them. */
export type WantedRange = Readonly<z.infer<typeof range>>;

export interface ServingFile {
  /** As the file had it when it was opened. */
  readonly wanted: readonly WantedRange[];
  /** Why the file could not be read; null: it could, or there is none. */
  readonly problem: string | null;
  /** @throws KithError `disk_full`, `write_failed` */
  write(wanted: readonly WantedRange[]): Promise<void>;
}

/** Never throws: a node whose file is damaged serves nothing, says so, and the file stays until something is served again. */
export async function openServingFile(home: string): Promise<ServingFile> {
  const path = join(home, 'shards', 'serving.json');
  const inTurn = oneAtATime();
  let wanted: readonly WantedRange[] = [];
  let problem: string | null = null;
  try {
    wanted = contents.parse(
      JSON.parse(new TextDecoder().decode(await readFileBounded(path, MAX_BYTES))),
    ).served;
  } catch (error) {
    if (!isKithError(error) || error.code !== 'file_not_found')
      problem = `${path} cannot be read, so that nothing is served again: ${shortened(error)}. Serve the blocks anew with kith shard serve.`;
  }
  return {
    wanted,
    problem,
    write(served) {
      const text = `${JSON.stringify({ version: 1, served }, null, 2)}\n`;
      return inTurn(() => writeFileAtomic(path, text, { mode: 0o600 }));
    },
  };
}

const shortened = (error: unknown): string =>
  error instanceof z.ZodError ? 'it is not what a node writes' : messageOf(error).slice(0, 200);
