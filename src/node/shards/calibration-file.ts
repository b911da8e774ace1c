/**
 * What was measured of this machine and of its ways to peers, in `shards/calibration.json`: written by whoever measures (the
 * command line does so without a node too), read anew by each who asks.
 *
 * @module node/shards/calibration-file
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isKithError, isPeerId, readFileBounded, writeFileAtomic } from '../../base/index.ts';
import { isModelId } from '../../models/index.ts';
import type { CalibrationsView, CalibrationView, WayView } from '../../server/index.ts';

/** Of each: the newest stay. */
const MOST_MODELS = 64;
const MOST_WAYS = 64;
const MAX_BYTES = 256 * 1024;

const figure = z.number().positive().finite();
const moment = z.int().min(0);
const block = z.int().min(0).max(65_536);
const model = z.strictObject({
  model: z.string().regex(/^[0-9a-f]{64}$/),
  modelId: z.string().refine(isModelId),
  at: moment,
  device: z.string().max(200),
  threads: z.int().min(1).max(4096),
  blocks: z.tuple([block, block]),
  blockBytes: figure,
  msPerBlock: figure,
  promptRowsPerSecond: figure,
  together: z.array(z.strictObject({ rows: z.int().min(1).max(1024), ms: figure })).max(16),
  loadMsPerBlock: z.number().min(0).finite(),
  fitting: z.int().min(0).max(65_536),
  cells: z.int().min(0),
});
const way = z.strictObject({
  peer: z.string().refine(isPeerId),
  at: moment,
  rttMs: z.number().min(0).finite(),
  bytesPerSecond: figure.nullable(),
});
const contents = z.strictObject({
  version: z.literal(1),
  models: z.array(model).max(MOST_MODELS),
  ways: z.array(way).max(MOST_WAYS),
});

const fileOf = (home: string): string => join(home, 'shards', 'calibration.json');

/** Nothing where there is no file, or one that no node of this version wrote: it can be measured again. */
export async function readCalibrations(home: string): Promise<CalibrationsView> {
  try {
    const bytes = await readFileBounded(fileOf(home), MAX_BYTES);
    const { models, ways } = contents.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { models, ways };
  } catch (error) {
    if (isKithError(error) || error instanceof z.ZodError || error instanceof SyntaxError)
      return { models: [], ways: [] };
    throw error;
  }
}

/** Keeps what was measured in the place of what was known of the same. @throws KithError `disk_full`, `write_failed` */
export async function keepCalibrations(
  home: string,
  fresh: { readonly models?: readonly CalibrationView[]; readonly ways?: readonly WayView[] },
): Promise<void> {
  const known = await readCalibrations(home);
  const models = newest([...(fresh.models ?? []), ...known.models], ({ model: hash }) => hash, MOST_MODELS);
  const ways = newest([...(fresh.ways ?? []), ...known.ways], ({ peer }) => peer, MOST_WAYS);
  const text = `${JSON.stringify({ version: 1, models, ways }, null, 2)}\n`;
  await writeFileAtomic(fileOf(home), text, { mode: 0o600 });
}

function newest<T extends { readonly at: number }>(
  all: readonly T[],
  nameOf: (one: T) => string,
  most: number,
): T[] {
  const seen = new Set<string>();
  const first = all.filter((one) => {
    const name = nameOf(one);
    return !seen.has(name) && seen.add(name);
  });
  return first.sort((a, b) => b.at - a.at).slice(0, most);
}
