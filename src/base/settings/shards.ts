/**
 * Settings of sharded inference: whose blocks this node computes with, and who computes with its own.
 *
 * @module base/settings/shards
 */
import { TIERS } from '../tiers.ts';
import { bytes, choice, DAY_MS, decimal, flagSetting, GB, integer, integerOrAuto } from './setting.ts';

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
  'shards.activations': choice(
    'How hidden states travel to and between peers: f32 as they are, which keeps every token; f16 and i8 rounded, in half and a quarter of the bytes; auto: rounded on links that are far away.',
    ['f32', 'auto', 'f16', 'i8'],
    'f32',
  ),
  'shards.audit': decimal(
    'Share of what peers compute with their blocks that other peers compute again and that is compared; 0 audits nobody.',
    0,
    1,
    0,
  ),
  'shards.redundancy': integer(
    'How many paths through different peers compute an answer: with 2 all of it is compared before it is given. Where there is no second path it is computed once, and its receipt says so.',
    1,
    2,
    1,
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
  'shards.standIn': choice(
    'Of the peers that may compute here, those that may have this node load blocks of a model it serves when an answer of theirs lost them: friends, those of a tier and above too, or nobody.',
    ['nobody', 'friends', ...TIERS],
    'trusted',
  ),
  'shards.sessions': integer('Sessions of peers that compute here at once, over all models.', 1, 1000, 8),
  'shards.sessionsPerPeer': integer(
    'Of those, for one peer: friends and trusted ones get all, lower tiers a part.',
    1,
    1000,
    4,
  ),
  'shards.cells': integerOrAuto(
    'KV cells (tokens of context) lent to all peers at once; auto: as many as the served blocks have.',
    256,
    16_777_216,
  ),
  'shards.idleMs': integer(
    'A session of a peer that has no step for so long ends, in ms.',
    1000,
    DAY_MS,
    300_000,
  ),
  'shards.leaseMs': integer(
    'A session of a peer makes room after so long when others wait, in ms.',
    10_000,
    DAY_MS,
    3_600_000,
  ),
  'shards.drainMs': integer(
    'Time that sessions of peers get to go on elsewhere when serving stops, in ms.',
    0,
    600_000,
    20_000,
  ),
  'shards.logBytes': bytes(
    'Rows kept for the case that a next peer is lost, of all sessions together, in memory and in temporary files.',
    1_000_000,
    1000 * GB,
    2 * GB,
  ),
  'shards.logMemoryBytes': bytes('Of those, in memory.', 1_000_000, 1000 * GB, 256_000_000),
  'shards.rebalance': flagSetting(
    'Blocks that this node chose by itself (kith shard serve --auto) give way to others of the model when those are needed more.',
    true,
  ),
  'shards.rebalanceRestMs': integer(
    'Least time between two such moves, in ms; ten times less where one closes a gap; twice as long after each that follows soon.',
    1000,
    DAY_MS,
    600_000,
  ),
  'shards.lookMs': integer(
    'How often blocks that were chosen by themselves are held against what the swarm serves, in ms.',
    100,
    DAY_MS,
    15_000,
  ),
} as const;
