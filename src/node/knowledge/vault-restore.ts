/**
 * Makes a knowledge base again from what its Eves keep.
 *
 * @module node/knowledge/vault-restore
 */
import { join } from 'node:path';
import { makeFolder, toHex } from '../../base/index.ts';
import { writeParts } from '../../knowledge/index.ts';
import type { KbView, VaultDesk } from '../../server/index.ts';
import { SPLIT_OBJECTS } from '../../vault/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { removeDatabase } from './admitting.ts';
import type { AreaParts } from './areas.ts';
import type { Exchange } from './exchange.ts';
import { requireNew } from './making.ts';
import type { VaultFinding } from './vault-finding.ts';
import type { VaultReach } from './vault-reach.ts';
import { leastQuota } from './vault-tenants.ts';

export function createVaultRestore(
  { config, clock, random, opened, withKb }: AreaParts,
  { store, collectionOf }: VaultReach,
  { findOne }: VaultFinding,
  restoreFile: Exchange['desk']['restore'],
): VaultDesk['restore'] {
  return async (name, { eves: asked, source, folder }, signal): Promise<KbView> => {
    const keep = folder ?? knowledgeFolder(config);
    // Before anything is fetched.
    requireNew(name, join(keep, `${name}.sqlite`), (await opened()).registry);
    const { id, mode, replicas, eves } = await findOne(source, asked, signal);
    const collection = collectionOf({ id, eves, replicas, reached: 0 }, null);
    const manifest = await collection.open(signal);
    await makeFolder(keep, 0o700);
    const path = join(keep, `${name}.${toHex(random.bytes(6))}.tmp`);
    try {
      await writeParts(
        path,
        (async function* () {
          for await (const { name: part, object } of collection.readAll(manifest, { signal }))
            if (!part.startsWith(SPLIT_OBJECTS)) yield object;
        })(),
      );
      const view = await restoreFile(name, { file: path, ...(folder === undefined ? {} : { folder }) });
      const placed = await store();
      const { version, bytes } = await withKb(name, ({ store: documents }) => ({
        version: documents.version(),
        bytes: documents.counts().bytes,
      }));
      // Another machine may go on with it: who writes first is told apart by the head.
      if (placed.of(name) === null)
        placed.save({
          ...{ id, kb: name, mode, replicas, eves, quota: leastQuota(bytes) },
          ...{ reached: manifest.number, version, synced: Math.floor(clock.now()) },
        });
      return view;
    } finally {
      await removeDatabase(path);
    }
  };
}
