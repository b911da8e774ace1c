/**
 * Settings of sharded inference: whose blocks this node computes with, and who computes with its own.
 *
 * @module base/settings/shards
 */
import { TIERS } from '../tiers.ts';
import { choice, integer } from './setting.ts';

export const shardSettings = {
  'shards.use': choice(
    'Peers whose blocks this node computes with, for models that do not run here: friends, or those of a tier and above.',
    ['nobody', 'friends', ...TIERS],
    'friends',
  ),
  'shards.pathCells': integer(
    'KV cells (tokens) that a circuit asks of each of its peers; more where a request needs more.',
    256,
    131_072,
    2048,
  ),
  'shards.ownBlocks': integer(
    'Blocks at each end of a model that this node computes itself for requests that demand the pledge (privacy maximum).',
    0,
    64,
    2,
  ),
  'shards.serveTier': choice(
    'Peers of this tier and above may compute with the blocks that this node serves; nobody: only friends.',
    ['nobody', ...TIERS],
    'nobody',
  ),
} as const;
