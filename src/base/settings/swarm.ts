/**
 * Settings of the swarm: who this node listens to, whom it looks for, what it offers, and what peers may cost it.
 *
 * @module base/settings/swarm
 */
import { z } from 'zod';
import { TIERS } from '../tiers.ts';
import { isModelId } from './forms.ts';
import {
  isAddressRange,
  isAnnounceAddress,
  isListenAddress,
  isPeerAddress,
  isPeerId,
  isStunAddress,
} from './multiaddr.ts';
import { bytes, choice, flagSetting, integer, list, optionalText, path } from './setting.ts';

const GIB = 2 ** 30;
const peerAddresses =
  'multiaddrs with the PeerId at their end, such as /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW..., separated by commas';
const isRegion = (value: string): boolean => /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(value);
const ranges = 'IP addresses or ranges such as 10.0.0.0/8 or fd00::/8, separated by commas';

export const swarmSettings = {
  'swarm.enabled': flagSetting('Take part in the swarm: listen to peers and look for them.', false),
  'swarm.listen': list(
    'Where peers may connect; port 0 takes any free one.',
    'multiaddrs such as /ip4/0.0.0.0/tcp/4001 or /ip6/::/tcp/4001, separated by commas',
    isListenAddress,
    ['/ip4/0.0.0.0/tcp/4001'],
  ),
  'swarm.announce': list(
    'Where others are told that this node is, when that is not what it listens on: behind a forwarded port or a name.',
    'multiaddrs such as /dns4/kith.example.org/tcp/4001, separated by commas',
    isAnnounceAddress,
    [],
  ),
  'swarm.bootstrap': list('Peers that are dialled at the start.', peerAddresses, isPeerAddress, []),
  'swarm.network': choice(
    'lan: private addresses count and may be told to others; public: only those that the world can reach.',
    ['public', 'lan'],
    'public',
  ),
  'swarm.pskFile': path(
    'Key file of a private network (kith network create): only who has the same key can connect.',
  ),
  'swarm.dht': choice(
    'Part in the distributed hash table: auto serves it once others can reach this node; off uses none.',
    ['auto', 'client', 'server', 'off'],
    'auto',
  ),
  'swarm.mdns': flagSetting('Find peers on the local network by multicast, and be found.', false),
  'swarm.upnp': flagSetting('Ask the router to forward the port (UPnP).', false),
  'swarm.webrtc': flagSetting(
    'Connect directly to peers behind address translation by WebRTC; not in a private network with a key.',
    false,
  ),
  'swarm.stun': list(
    'STUN servers that tell this node its address for WebRTC; they see that address.',
    'addresses such as stun:stun.example.org:3478, separated by commas',
    isStunAddress,
    [],
  ),
  'swarm.lanes': choice(
    'Connections of their own beside direct links, for speed: auto opens none in a private network, always there too.',
    ['auto', 'always', 'off'],
    'auto',
  ),
  'swarm.lanePort': integer('TCP port on which lanes of peers come in; 0 takes any free one.', 0, 65_535, 0),
  'swarm.relays': list(
    'Relays over which others reach this node when they cannot reach it directly.',
    peerAddresses,
    isPeerAddress,
    [],
  ),
  'swarm.relayServe': flagSetting('Be a relay for others: their encrypted bytes pass through here.', false),
  'swarm.relayReservations': integer('Peers that may be reached over this relay at once.', 1, 10_000, 64),
  'swarm.relayMinTier': choice(
    'Only peers of this tier and above may be reached over this relay.',
    TIERS,
    'unknown',
  ),
  'swarm.relayUnlimited': flagSetting(
    'Relay without bounds of time and bytes; others are cut after 2 minutes or 128 KiB.',
    false,
  ),
  'swarm.relayUnlimitedTier': choice(
    'Relay without those bounds to peers of this tier and above; nobody: to none but as swarm.relayUnlimited says.',
    ['nobody', ...TIERS],
    'nobody',
  ),

  'swarm.minTier': choice('Peers below this tier may not connect and are not dialled.', TIERS, 'unknown'),
  'swarm.allow': list('Only these may connect, when there are any.', ranges, isAddressRange, []),
  'swarm.deny': list('These may not connect.', ranges, isAddressRange, []),
  'swarm.maxConnections': integer('Connections to peers at once.', 1, 10_000, 200),
  'swarm.connectionsPerSecond': integer('New connections a second from one address.', 1, 10_000, 5),
  'swarm.maxStreams': integer('Streams for calls and sessions of one connection.', 1, 1000, 64),
  'swarm.requestsPerSecond': integer(
    'Requests a second of one peer; four times as many at once.',
    1,
    1_000_000,
    100,
  ),
  'swarm.bytesPerSecond': bytes(
    'Bytes a second read from one peer; twice as many at once.',
    65_536,
    100 * GIB,
    256 * 2 ** 20,
  ),
  'swarm.bytesInFlight': bytes(
    'Bytes of all peers that wait in this node.',
    2 ** 20,
    64 * GIB,
    256 * 2 ** 20,
  ),
  'swarm.heapBytes': bytes('Memory of the swarm thread.', 64 * 2 ** 20, 16 * GIB, 512 * 2 ** 20),

  'swarm.regions': {
    ...list(
      'Where this node is, as its owner says: requests may ask for a region.',
      'at most 8 tags of a-z, 0-9 and "-", such as eu or de-by, separated by commas',
      isRegion,
      [],
    ),
    schema: z.array(z.string().refine(isRegion)).max(8).readonly(),
  },
  'swarm.friends': list(
    'Peers that are served whatever their tier, and asked with swarm.use friends.',
    'PeerIds such as 12D3KooW..., separated by commas',
    isPeerId,
    [],
  ),
  'swarm.serveTier': choice(
    'Peers of this tier and above may ask this node for answers; nobody: only friends.',
    ['nobody', ...TIERS],
    'nobody',
  ),
  'swarm.serveModels': list(
    'Models on this disk that they may ask for; everybody in the network is told of them.',
    'ids of models, separated by commas',
    isModelId,
    [],
  ),
  'swarm.serveLeases': integer('Peers that are served at once.', 1, 1000, 2),
  'swarm.serveLeasesPerPeer': integer('Of those, for one peer.', 1, 1000, 1),
  'swarm.serveTokensPerMinute': integer(
    'Tokens a minute of one peer, prompts and answers together.',
    1,
    1_000_000_000,
    6000,
  ),
  'swarm.serveMaxTokens': integer('Tokens of one answer to a peer.', 1, 16_777_216, 2048),
  'swarm.serveLeaseMs': integer(
    'Longest time for which a peer holds its place, ms.',
    1000,
    86_400_000,
    600_000,
  ),
  'swarm.serveHours': optionalText(
    'Time of the day in which peers are served.',
    'two times of this machine, such as 22:00-07:00',
    (value) => /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/.test(value),
  ),
  'swarm.use': choice(
    'Peers that this node asks by itself for models that they announce: friends, or those of a tier and above.',
    ['nobody', 'friends', ...TIERS],
    'nobody',
  ),
  'swarm.usePeers': integer('Peers that are asked so, at most; the most trusted ones.', 1, 256, 16),
  'swarm.reachMs': integer(
    'Time in which a peer has to be reached and to say whether it answers, ms; then another backend is asked.',
    100,
    60_000,
    5000,
  ),
  'swarm.hivemindBootstrap': list(
    'Nodes of a Hivemind DHT (Petals, KwaaiNet) in which this node may look things up.',
    peerAddresses,
    isPeerAddress,
    [],
  ),
  'swarm.hivemindServe': flagSetting(
    'Be a node of that DHT: keep records for others until they expire, and answer what they look up.',
    false,
  ),
  'swarm.hivemindAnnounce': flagSetting(
    'Tell that DHT which models this node serves to peers: anybody can read it.',
    false,
  ),
  'swarm.hivemindName': optionalText(
    'What this node is called there.',
    'at most 64 letters, digits, spaces and .,_- characters',
    (value) => /^[\p{L}\p{N} .,_-]{1,64}$/u.test(value),
  ),
  'swarm.messages': choice(
    'Peers of this tier and above may leave messages for the owner; nobody: none is taken.',
    ['nobody', ...TIERS],
    'unknown',
  ),
  'swarm.inboxMessages': integer(
    'Messages that are kept; over it the oldest that were read go.',
    1,
    100_000,
    2000,
  ),
} as const;
