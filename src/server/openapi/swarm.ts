/**
 * The swarm's routes in the document. The shapes are those of `swarm/types.ts`.
 *
 * @module server/openapi/swarm
 */
import type { CounterName, LeftOutReason } from '../../swarm/index.ts';
import type { Profile, TermName, Tier } from '../../trust/index.ts';
import { banSchema, connectSchema, messageSchema, pingSchema } from '../swarm/requests.ts';
import { REACHES, SWARM_STATES } from '../swarm/types.ts';
import { type Answer, type Api, answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nullable,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { hash, moment, peerId } from './swarm-parts.ts';

/** An object, so that a counter or reason that is missing here does not compile. */
const counters: Readonly<Record<CounterName, Schema>> = {
  framesIn: count,
  framesOut: count,
  bytesIn: count,
  bytesOut: count,
  callsIn: count,
  callsOut: count,
  sessionsIn: count,
  sessionsOut: count,
  lanesIn: count,
  lanesOut: count,
  lanesRefused: count,
  connections: described('Now.', count),
  bytesInFlight: described('Now.', count),
  refusedConnections: count,
  refusedRequests: count,
  misbehaviours: count,
  gossipIn: count,
  gossipRefused: count,
  restarts: count,
};
const reasons: Readonly<Record<LeftOutReason, true>> = {
  self: true,
  excluded: true,
  other_model: true,
  expired: true,
  offline: true,
  not_ready: true,
  not_served: true,
  blocks_missing: true,
  cache_full: true,
  tier: true,
  pledge: true,
  region: true,
  latency: true,
  latency_unknown: true,
};
const tiers: Readonly<Record<Tier, true>> = { unknown: true, known: true, verified: true, trusted: true };

const profiles: Readonly<Record<Profile, true>> = { default: true, reference: true };
const terms: Readonly<Record<TermName, true>> = {
  credentials: true,
  endorsements: true,
  observations: true,
  confidence: true,
  rank: true,
  moderation: true,
  strikes: true,
  accountability: true,
};

const tier = choice(...Object.keys(tiers));
const score: Schema = { type: 'number', minimum: 0, maximum: 1 };
const blocks = described(
  'Ranges of blocks, each with its first and the one after its last.',
  array({ type: 'array', items: count, minItems: 2, maxItems: 2 }),
);

const path = described('What the bytes go over.', choice('lan', 'tcp', 'webrtc', 'relay'));
const task = choice('chat', 'embedding');

const schemas: Readonly<Record<string, Schema>> = {
  Swarm: object({
    state: choice(...SWARM_STATES),
    message: nullable(string),
    peer: peerId,
    did: string,
    reach: choice(...REACHES),
    addresses: array(described('Multiaddr under which this node can be dialled.', string)),
    network: object({
      kind: choice('public', 'lan'),
      key: described('Names the key of a private network; null in an open one.', nullable(string)),
    }),
    relay: object({
      uses: array(string),
      serves: nullable(
        object({
          reservations: count,
          unlimited: boolean,
          unlimitedTier: choice('nobody', ...Object.keys(tiers)),
          minTier: tier,
        }),
      ),
    }),
    regions: array(string),
    nat: described(
      'Where the world sees the node, as learnt last; null before.',
      nullable(
        object({
          mapping: choice('none', 'independent', 'dependent', 'unknown'),
          address: nullable(string),
        }),
      ),
    ),
    links: array(ref('PeerLink')),
    counters: nullable(object(counters)),
    records: described('Announcements in the registry.', count),
    peers: count,
    messages: count,
    unread: count,
  }),
  PeerLink: object(
    {
      peer: peerId,
      address: string,
      direction: choice('in', 'out'),
      direct: described('False over a relay.', boolean),
      limited: described('True when a relay bounds its bytes or time.', boolean),
      encryption: string,
      rttMs: nullable(milliseconds),
      since: moment,
    },
    {
      path,
      lanes: described('Sockets of their own beside the link, for what is large, that are open now.', count),
    },
  ),
  Peers: object({ peers: array(ref('Peer')), more: count }),
  Peer: object({
    peer: peerId,
    tier,
    score,
    connected: boolean,
    address: nullable(string),
    direct: nullable(boolean),
    path: nullable(path),
    rttMs: nullable(milliseconds),
    state: nullable(choice('joining', 'online', 'draining', 'offline')),
    regions: array(string),
    serves: array(string),
    models: array(object({ hash, quant: string, id: nullable(string), serves: array(string), blocks })),
    banned: boolean,
  }),
  FoundPeers: object({
    model: nullable(hash),
    found: array(
      object({
        peer: peerId,
        tier,
        score,
        latencyMs: nullable(milliseconds),
        latencySource: choice('measured', 'claimed', 'unknown'),
        regions: array(string),
        blocks,
        tokensPerSecond: described('What it claims.', nullable({ type: 'number', minimum: 0 })),
      }),
    ),
    leftOut: array(object({ peer: peerId, reason: choice(...Object.keys(reasons)), detail: string })),
    more: described('Peers that the lists are too short for.', count),
  }),
  Ping: object({ peer: peerId, rttMs: milliseconds }),
  Disconnected: object({ disconnected: literal(true) }),
  SentMessage: object({
    id: string,
    to: peerId,
    state: described(
      '`queued`: it is tried again until it expires.',
      choice('queued', 'delivered', 'refused', 'expired'),
    ),
    code: described('Why it was refused, or why the last attempt failed.', nullable(string)),
    sentAt: moment,
    expiresAt: moment,
    attempts: count,
  }),
  Outbox: object({ messages: array(ref('SentMessage'), { maxItems: 1000 }) }),
  Message: object({
    id: string,
    from: peerId,
    sentAt: described('What the sender says.', moment),
    receivedAt: moment,
    read: boolean,
    text: string,
  }),
  Inbox: object({ messages: array(ref('Message'), { maxItems: 1000 }), total: count, unread: count }),
  MessageRemoved: object({ removed: literal(true) }),
  PeerTrust: object({
    peer: peerId,
    score,
    tier,
    profile: described('In force.', choice(...Object.keys(profiles))),
    tiers: object(Object.fromEntries(Object.keys(profiles).map((name) => [name, tier]))),
    terms: described(
      'score = M * S * A * [C + (1 - C) * 0.35 * (r + (1 - c) * 0.25 * p)]',
      array(object({ name: choice(...Object.keys(terms)), value: score, detail: string })),
    ),
    gates: described('Why the tier is lower than the score alone would give.', array(string)),
    quarantineUntil: nullable(moment),
    dealings: described('How often this node dealt with the peer.', count),
    endorsed: described('This node endorses it.', boolean),
  }),
  Leases: object({
    leases: array(object({ peer: peerId, model: string, task, running: boolean, ms: milliseconds })),
    most: described('Places that there are; 0: this node serves nobody.', count),
  }),
  PeerReceipts: object({
    receipts: array(
      object({
        way: described('`given`: this node answered. `got`: the peer did.', choice('given', 'got')),
        peer: peerId,
        request: described("The asking node's name for the request.", pattern('^[0-9a-f]{32}$')),
        task,
        model: string,
        promptTokens: nullable(count),
        completionTokens: nullable(count),
        outcome: choice('answered', 'failed', 'left'),
        at: described('By the clock of the node that answered.', moment),
        receipt: described('What is signed, base64.', string),
        signature: described('Ed25519, base64.', string),
      }),
      { maxItems: 1000 },
    ),
    total: count,
  }),
  Bans: object({ bans: array(ref('Ban')) }),
  Ban: object({ peer: peerId, until: described('Null: for good.', nullable(moment)) }),
  Unbanned: object({ peer: peerId, unbanned: described('False when it was not banned.', boolean) }),
};

const off: Readonly<Record<string, Answer>> = {
  '409': answer('`swarm_off`: the swarm is not switched on.', ref('OpenAiError'), ['x-should-retry']),
  '502': answer('The peer cannot be reached, or broke off.', ref('OpenAiError'), ['x-should-retry']),
  '504': answer('The peer did not answer in time.', ref('OpenAiError'), ['x-should-retry']),
};
const peer = pathParameter('peer', 'PeerId.');
const id = pathParameter('id', 'Id of the message.');
const none = (what: string): Readonly<Record<string, Answer>> => ({
  '404': answer(what, ref('OpenAiError')),
});

const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/swarm',
    id: 'kithSwarm',
    summary: "This node's place in the swarm",
    scope: 'monitor',
    answers: {
      '200': answer('Also when the swarm is off or has failed.', ref('Swarm')),
      '409': answer('`swarm_off`: this server was made without a swarm.', ref('OpenAiError'), [
        'x-should-retry',
      ]),
    },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/peers',
    id: 'kithPeers',
    summary: 'Peers that are connected or announce something',
    scope: 'monitor',
    parameters: [queryParameter('limit', 'Peers at most; 500 unless it says otherwise.', count)],
    answers: { ...off, '200': answer('Connected ones first, then by tier.', ref('Peers')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/peers/{peer}/trust',
    id: 'kithPeerTrust',
    summary: 'How far this node trusts a peer, term by term',
    scope: 'monitor',
    parameters: [peer],
    answers: { ...off, '200': answer('As `kith reputation show` tells it.', ref('PeerTrust')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/peers/{peer}/endorsement',
    id: 'kithEndorsePeer',
    summary: "Give this node's signed word for a peer that it dealt with",
    scope: 'control',
    parameters: [peer],
    answers: { ...off, '200': answer('What it is trusted with it.', ref('PeerTrust')) },
    error: 'OpenAiError',
  },
  {
    method: 'delete',
    path: '/kith/v1/swarm/peers/{peer}/endorsement',
    id: 'kithUnendorsePeer',
    summary: 'End the endorsement of a peer, here and now',
    scope: 'control',
    parameters: [peer],
    answers: {
      ...off,
      ...none('`endorsement_not_found`.'),
      '200': answer('What it is trusted without it.', ref('PeerTrust')),
    },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/leases',
    id: 'kithLeases',
    summary: "Places that peers hold at this node's engine",
    scope: 'control',
    answers: { ...off, '200': answer('Now.', ref('Leases')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/receipts',
    id: 'kithPeerReceipts',
    summary: 'Signed receipts of what this node and its peers did for each other',
    scope: 'control',
    parameters: [
      queryParameter('peer', 'Of this peer alone.', string),
      queryParameter('way', 'Of one way alone.', choice('given', 'got')),
      queryParameter('limit', 'At most so many; 100 unless it says otherwise.', count),
    ],
    answers: { ...off, '200': answer('Newest first.', ref('PeerReceipts')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/find',
    id: 'kithFindPeers',
    summary: 'Say who serves a model under these requirements, and why the others do not',
    scope: 'monitor',
    parameters: [
      queryParameter('model', 'Id of a model on this node, or the SHA-256 of its file.', string),
      queryParameter('serves', 'What it is to do.', choice('blocks', 'chat', 'embeddings', 'storage')),
      queryParameter('blocks', 'First and last block, such as 0-11.', string),
      queryParameter('minTier', 'Least tier.', tier),
      queryParameter('maxLatencyMs', 'Longest round trip and queue, ms.', count),
      queryParameter('regions', 'Region tags with commas, any of which will do.', string),
      queryParameter('pledge', 'Its operator holds a valid FiduciaryPledge.', boolean),
      queryParameter('limit', 'Peers in each list at most; 200 unless it says otherwise.', count),
    ],
    answers: {
      ...off,
      ...none('`model_not_found`: neither a model here nor a SHA-256.'),
      '200': answer('Best first.', ref('FoundPeers')),
    },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/connect',
    id: 'kithConnectPeer',
    summary: 'Connect to a peer',
    scope: 'control',
    body: requestSchema(connectSchema),
    answers: { ...off, '200': answer('The link that stands.', ref('PeerLink')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/peers/{peer}/ping',
    id: 'kithPingPeer',
    summary: 'Measure the round trip to a peer',
    scope: 'control',
    parameters: [peer],
    body: requestSchema(pingSchema),
    answers: { ...off, '200': answer('Measured.', ref('Ping')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/peers/{peer}/disconnect',
    id: 'kithDisconnectPeer',
    summary: 'Close the connections to a peer; it may come again',
    scope: 'control',
    parameters: [peer],
    answers: { ...off, '200': answer('None is left.', ref('Disconnected')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/messages',
    id: 'kithMessages',
    summary: 'Messages that peers left for the owner',
    scope: 'control',
    parameters: [
      queryParameter('unread', 'Only those that were not read.', boolean),
      queryParameter('limit', 'At most so many; 100 unless it says otherwise.', count),
    ],
    answers: { ...off, '200': answer('Newest first.', ref('Inbox')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/messages',
    id: 'kithSendMessage',
    summary: "Leave a signed message for a peer's owner",
    scope: 'control',
    body: requestSchema(messageSchema),
    answers: { ...off, '200': answer('After the first attempt.', ref('SentMessage')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/outbox',
    id: 'kithSentMessages',
    summary: 'Messages that were sent, and what became of them',
    scope: 'control',
    parameters: [queryParameter('limit', 'At most so many; 100 unless it says otherwise.', count)],
    answers: { ...off, '200': answer('Newest first.', ref('Outbox')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/messages/{id}/read',
    id: 'kithReadMessage',
    summary: 'Show a message and mark it as read',
    scope: 'control',
    parameters: [id],
    answers: { ...off, ...none('`message_not_found`.'), '200': answer('The message.', ref('Message')) },
    error: 'OpenAiError',
  },
  {
    method: 'delete',
    path: '/kith/v1/swarm/messages/{id}',
    id: 'kithRemoveMessage',
    summary: 'Remove a message that came, or take back one that waits to be delivered',
    scope: 'control',
    parameters: [id],
    answers: { ...off, ...none('`message_not_found`.'), '200': answer('It is gone.', ref('MessageRemoved')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/bans',
    id: 'kithBans',
    summary: 'Peers that may not connect',
    scope: 'control',
    answers: { ...off, '200': answer('In force now.', ref('Bans')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/bans',
    id: 'kithBan',
    summary: 'Cut a peer and refuse it',
    scope: 'control',
    body: requestSchema(banSchema),
    answers: { ...off, '200': answer('It is cut and banned.', ref('Ban')) },
    error: 'OpenAiError',
  },
  {
    method: 'delete',
    path: '/kith/v1/swarm/bans/{peer}',
    id: 'kithUnban',
    summary: 'Let a peer connect again',
    scope: 'control',
    parameters: [peer],
    answers: { ...off, '200': answer('It may connect again.', ref('Unbanned')) },
    error: 'OpenAiError',
  },
];

export const swarmApi: Api = {
  tag: 'Swarm',
  description: 'The network of peers: connections, who serves what, messages between owners, bans.',
  schemas,
  operations,
};
