/**
 * The owner's bans, in `swarm/bans.json`: they outlive the node.
 *
 * @module node/swarm-bans
 */
import { join } from 'node:path';
import { z } from 'zod';
import {
  type Clock,
  isKithError,
  isPeerId,
  KithError,
  LimitError,
  oneAtATime,
  readFileBounded,
  writeFileAtomic,
} from '../base/index.ts';
import type { Ban } from '../swarm/index.ts';

/** A ban has about 90 bytes in the file. */
export const MAX_BANS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;

const contents = z.strictObject({
  version: z.literal(1),
  bans: z
    .array(z.strictObject({ peer: z.string().refine(isPeerId), until: z.int().min(0).nullable() }))
    .max(MAX_BANS),
});

export interface BanFile {
  /** Those in force. */
  list(): Ban[];
  set(peer: string, until: number | null): Promise<void>;
  /** False when it was not banned. */
  delete(peer: string): Promise<boolean>;
}

/**
 * Throws KithError `bans_damaged` when the file cannot be read as what it is: who was banned must not come back because of
 * a broken disk.
 */
export async function openBanFile(home: string, clock: Pick<Clock, 'now'>): Promise<BanFile> {
  const path = join(home, 'swarm', 'bans.json');
  const bans = new Map((await read(path)).map((ban) => [ban.peer, ban.until]));
  const inTurn = oneAtATime();
  const list = () => {
    const now = clock.now();
    for (const [peer, until] of bans) if (until !== null && until <= now) bans.delete(peer);
    return [...bans].map(([peer, until]) => ({ peer, until }));
  };
  /** One after the other, each with all that holds then. */
  const write = (): Promise<void> =>
    inTurn(() => writeFileAtomic(path, `${JSON.stringify({ version: 1, bans: list() })}\n`, { mode: 0o600 }));
  return {
    list,
    async set(peer, until) {
      if (!bans.has(peer) && list().length >= MAX_BANS)
        throw new LimitError(
          'swarm.bans',
          MAX_BANS,
          `${MAX_BANS} peers are banned already; unban some first.`,
        );
      bans.set(peer, until);
      await write();
    },
    async delete(peer) {
      list();
      if (!bans.delete(peer)) return false;
      await write();
      return true;
    },
  };
}

async function read(path: string): Promise<readonly Ban[]> {
  try {
    const bytes = await readFileBounded(path, MAX_BYTES);
    return contents.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).bans;
  } catch (error) {
    if (isKithError(error) && error.code === 'file_not_found') return [];
    if (isKithError(error) && error.code !== 'limit_reached') throw error;
    throw new KithError(
      'bans_damaged',
      `${path} is damaged, so that nobody knows who is banned. Mend it, or remove it and ban again.`,
      { cause: error },
    );
  }
}
