/**
 * The routes of the space that this node lends, under `/kith/v1/storage`. For the node's owner alone.
 *
 * @module server/storage
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { KithError } from '../../base/index.ts';
import { ownerRoutes } from '../control.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import type { StorageDesk } from './types.ts';

export type * from './types.ts';

export const storageBackupBody = z.strictObject({
  file: z
    .string()
    .min(1)
    .max(4096)
    .refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path'),
});

export function storageRoutes({ token, storage }: Pick<ServerContext, 'token' | 'storage'>): Route[] {
  const desk = (): StorageDesk => {
    if (storage !== undefined) return storage;
    throw new KithError('storage_off', 'This server lends no space.', { status: 409 });
  };
  const route = ownerRoutes(token, '/kith/v1/storage');
  return [
    route('GET', '', () => desk().view()),
    route('DELETE', '/tenants/:owner/:label', async ({ params }) => {
      const { owner = '', label = '' } = params;
      await desk().destroy(owner, label);
      return { owner, label };
    }),
    route('POST', '/tenants/:owner/:label/backup', async (exchange) => {
      const { owner = '', label = '' } = exchange.params;
      const { file } = parseBody(storageBackupBody, await exchange.json());
      return desk().backup(owner, label, file);
    }),
    route('POST', '/tenants/:owner/:label/restore', async (exchange) => {
      const { owner = '', label = '' } = exchange.params;
      const { file } = parseBody(storageBackupBody, await exchange.json());
      await desk().bringBack(owner, label, file);
      return { owner, label };
    }),
  ];
}
