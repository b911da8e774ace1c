/**
 * Settings of the storage that this node lends to peers.
 *
 * @module base/settings/storage
 */
import { isAbsolute } from 'node:path';
import { TIERS } from '../tiers.ts';
import { bytes, choice, flagSetting, GB, integer, text } from './setting.ts';

const LEAST = 32 * 1024 * 1024;
const MOST = 2 ** 50;

export const storageSettings = {
  'storage.enabled': flagSetting(
    'Whether this node lends space on its disk to peers, who keep there what it cannot read (see kith storage). Needs the swarm.',
    false,
  ),
  'storage.folder': text(
    'Folder of what peers keep here.',
    'an absolute path; empty for vault in the home folder',
    (value) => value === '' || (isAbsolute(value) && !value.includes('\0')),
    '',
  ),
  'storage.capacityBytes': bytes('Space that is lent to all peers together.', LEAST, MOST, 10 * GB),
  'storage.tenantBytes': bytes('Space that one tenant gets at most.', LEAST, MOST, 2 * GB),
  'storage.tenants': integer('Tenants of one owner, at most.', 1, 1000, 16),
  'storage.days': integer('Days after which a tenant ends unless it was renewed, at most.', 1, 3660, 90),
  'storage.graceDays': integer(
    'Days of running for which a tenant whose time is over is kept, to be read or renewed.',
    1,
    3660,
    30,
  ),
  'storage.serveTier': choice(
    'Peers of this tier and above get space here; nobody: only friends (swarm.friends).',
    ['nobody', ...TIERS],
    'nobody',
  ),
  'storage.memoryMb': integer(
    'Memory for blocks that are searched for their owners, in MB.',
    16,
    65_536,
    512,
  ),
} as const;
