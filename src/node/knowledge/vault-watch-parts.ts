/**
 * What the schedule of `vault-watch.ts` works on: the knowledge bases, jobs and Eves of this node.
 *
 * @module node/knowledge/vault-watch-parts
 */
import { stat } from 'node:fs/promises';
import type { AreaParts } from './areas.ts';
import { checkPlaced } from './vault-check.ts';
import { keepTheirTenants } from './vault-keeping.ts';
import { deleteDropped, deleteLeftOver } from './vault-leaving.ts';
import type { VaultReach } from './vault-reach.ts';
import type { VaultWatchParts } from './vault-watch.ts';

const HOUR_MS = 3_600_000;
/** Pieces that are asked of each Eve: 4 KiB each. */
const QUESTIONS = 5;

/** @param file where it stands what is placed; nothing is while it is not there */
export function vaultWatchParts(parts: AreaParts, reach: VaultReach, file: string): VaultWatchParts {
  const { clock, random, log, config, opened, withKb } = parts;
  /** Of files that were looked into, by knowledge base: an untouched one is not opened again. */
  const stamps = new Map<string, { readonly stamp: string; readonly version: number }>();

  async function stampOf(path: string): Promise<string | null> {
    const [main, journal] = await Promise.all(
      ['', '-wal'].map((end) => stat(`${path}${end}`).catch(() => null)),
    );
    if (main === null || main === undefined) return null;
    return [main, journal].map((facts) => `${facts?.mtimeMs ?? 0} ${facts?.size ?? 0}`).join(' ');
  }

  return {
    ...{ clock, random, log, autoSync: config.vault.autoSync, checkMs: config.vault.checkHours * HOUR_MS },
    async placed() {
      if ((await stat(file).catch(() => null)) === null) return [];
      return (await reach.store()).all();
    },
    async versionOf(kb) {
      const { registry } = await opened();
      if (!registry.has(kb)) return null;
      const stamp = await stampOf(registry.get(kb).path);
      if (stamp === null) return null;
      const known = stamps.get(kb);
      if (known?.stamp === stamp) return known.version;
      const version = await withKb(kb, ({ store }) => store.version()).catch(() => null);
      if (version !== null) stamps.set(kb, { stamp, version });
      return version;
    },
    async busy(kb) {
      return (await opened()).jobs.unfinished(kb) > 0;
    },
    async run(kb, op, signal) {
      const { jobs } = await opened();
      let job = jobs.add(kb, { kind: 'vault', op });
      while (job.state === 'waiting' || job.state === 'running') {
        job = await jobs.wait(kb, job.id, job.step, signal);
        signal.throwIfAborted();
      }
      return job.state === 'done' && job.progress.failures.every(({ code }) => code !== 'vault_away');
    },
    async tend(kb, signal) {
      const row = await reach.rowOf(kb);
      const { made } = await withKb(kb, ({ store }) =>
        keepTheirTenants(reach, row, store, { random, log }, signal),
      );
      await deleteDropped(reach, row, log, signal);
      return { repair: made.length > 0 };
    },
    async check(kb, signal) {
      const row = await reach.rowOf(kb);
      const { eves, forked, whole } = await checkPlaced(reach, row, QUESTIONS, signal);
      const isFaulty = eves.some(({ asked, failed }) => asked > 0 && failed > 0);
      // Copies that were put elsewhere while an Eve was away go to her once all are there.
      const areThere = eves.every(({ asked, why }) => asked > 0 || why === null);
      return { repair: isFaulty || forked !== null || (areThere && !whole) };
    },
    async clean(signal) {
      if ((await stat(file).catch(() => null)) === null) return;
      const { registry } = await opened();
      const { secrets } = await reach.store();
      secrets.sweep(new Set(registry.unfinished().map(({ kb }) => kb)));
      await deleteLeftOver(reach, signal);
    },
  };
}
