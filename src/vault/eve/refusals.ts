/**
 * What Eve refuses with: in words that say nothing of other tenants, nor of her disk, to whoever asks.
 *
 * @module vault/eve/refusals
 */
import { isKithError, KithError, type Logger, messageOf } from '../../base/index.ts';
import { away, damaged } from './tenant-files.ts';

export const noTenant = (): KithError =>
  new KithError(
    'storage_no_tenant',
    'There is no such tenant of yours at this Eve. Make it first (kith vpk tenant create), or again (kith vpk repair).',
    { status: 404 },
  );

/** For the owner of this node. */
export const notLent = (): KithError =>
  new KithError(
    'storage_no_tenant',
    'This node keeps no such tenant. kith storage status --json names them in full.',
    { status: 404 },
  );

/** One for all: whether the tenant exists, whether a grant was revoked, whose it is. */
export const denied = (): KithError =>
  new KithError(
    'storage_denied',
    'This Eve does not do that for you. Ask the owner of the tenant for a grant, or Eve for space.',
    { status: 403 },
  );

const OWN = /^(?:storage|vault|block|split|grant)_|^limit_reached$/;

/** Whose disk it is learns where and why it fails; who asked learns what that means for them. */
export function refusalOf(error: unknown, log: Logger): unknown {
  if (isKithError(error) && OWN.test(error.code) && error.code !== 'storage_folder') return error;
  const code = isKithError(error) ? error.code : 'unknown';
  log.error('The disk of the storage is full or fails.', { code, cause: messageOf(error) });
  if (code === 'storage_folder') return away();
  if (code === 'database_corrupt') return damaged(error);
  return new KithError(
    'storage_failed',
    'The disk of this Eve is full or fails, and nothing of this was kept. Try again later, or take another Eve.',
    { status: 503 },
  );
}
