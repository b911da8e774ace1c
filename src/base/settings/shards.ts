/**
 * Settings of sharded inference: whose blocks this node computes with, and who computes with its own.
 *
 * @module base/settings/shards
 */
import { TIERS } from '../tiers.ts';
import { choice } from './setting.ts';

export const shardSettings = {
  'shards.use': choice(
    'Peers whose blocks this node computes with, for models that do not run here: friends, or those of a tier and above.',
    ['nobody', 'friends', ...TIERS],
    'friends',
  ),
  'shards.serveTier': choice(
    'Peers of this tier and above may compute with the blocks that this node serves; nobody: only friends.',
    ['nobody', ...TIERS],
    'nobody',
  ),
} as const;
