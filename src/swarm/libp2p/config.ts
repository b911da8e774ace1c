/**
 * The libp2p node of a swarm: what it is made of and why. Loaded in the swarm thread only; it takes 0.3 s and 60 MB.
 *
 * @module swarm/libp2p/config
 */
import { bootstrap } from '@libp2p/bootstrap';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { GossipSub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, ServiceMap } from '@libp2p/interface';
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import type { SwarmOptions } from '../types.ts';
import { BoundedStore } from './bounded-store.ts';
import { corkedTls } from './corked.ts';
import { gossip } from './gossip.ts';
import { multicast } from './neighbours.ts';
import { dialOrder } from './paths.ts';

/** What crosses to the swarm thread to make a node of. */
export type NodeSettings = Pick<
  SwarmOptions,
  | 'listen'
  | 'announce'
  | 'bootstrap'
  | 'psk'
  | 'network'
  | 'dht'
  | 'relay'
  | 'webrtc'
  | 'mdns'
  | 'upnp'
  | 'limits'
> & { readonly seed: Uint8Array };

export const DHT_PROTOCOL = '/kith/kad/1.0.0';
const LISTEN = ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'];
/** Largest window of a stream. The initial one stays at 256 KiB: yamux never tells it, and a window that starts at its
 * largest cannot grow, which pins a stream at 256 KiB a round trip. */
const MAX_WINDOW = 8 * 1024 * 1024;
const MAX_STREAMS = 256;

export interface Services extends ServiceMap {
  pubsub: GossipSub;
  dht?: KadDHT;
}
export type Node = Libp2p<Services>;

/** WebRTC is optional: its native part may be missing on a platform. */
async function webRTCTransport(iceServers: IceServers): Promise<unknown | null> {
  try {
    const { webRTC } = await import('@libp2p/webrtc');
    // Without a list of its own it would ask strangers' servers.
    return webRTC({ rtcConfiguration: async () => ({ iceServers: await iceServers() }) });
  } catch {
    return null;
  }
}

async function refuseValue(): Promise<void> {
  throw new Error('This network stores no values.');
}

/** Servers of STUN to use now. */
export type IceServers = () => Promise<{ urls: string }[]>;

type Transports = NonNullable<Libp2pOptions<Services>['transports']>;

export async function createNode(
  settings: NodeSettings,
  gater: ConnectionGater,
  iceServers: IceServers = async () => [],
): Promise<Node> {
  const { limits = {}, relay = {}, network = 'public', psk } = settings;
  const lan = network === 'lan';
  const privateKey = await generateKeyPairFromSeed('Ed25519', settings.seed);
  const listen = [...(settings.listen ?? LISTEN)];
  const transports: Transports = [tcp()];
  const relayed = relay.use !== undefined && relay.use.length > 0;
  transports.push(circuitRelayTransport());
  // A private network's key protects TCP alone, so that other transports would let strangers in.
  if (settings.webrtc !== false && settings.webrtc !== undefined && psk === undefined) {
    const transport = await webRTCTransport(iceServers);
    if (transport !== null) {
      transports.push(transport as Transports[number]);
      if (relayed) listen.push('/webrtc');
    }
  }
  const peerDiscovery: NonNullable<Libp2pOptions<Services>['peerDiscovery']> = [];
  if (settings.bootstrap !== undefined && settings.bootstrap.length > 0)
    peerDiscovery.push(bootstrap({ list: [...settings.bootstrap], timeout: 0 }));
  if (settings.mdns) peerDiscovery.push((await multicast()) as (typeof peerDiscovery)[number]);
  // Few ask for it, and it takes long to load. What the router says counts at once: AutoNAT, which would ask strangers to
  // confirm it, needs four of them in different networks.
  const upnp = settings.upnp
    ? (await import('@libp2p/upnp-nat')).uPnPNAT({ autoConfirmAddress: true, portMappingDescription: 'Kith' })
    : null;

  return createLibp2p<Services>({
    privateKey,
    datastore: new BoundedStore(peerIdFromPrivateKey(privateKey).toString()),
    nodeInfo: { userAgent: 'kith' },
    addresses: { listen, ...(settings.announce !== undefined && { announce: [...settings.announce] }) },
    transports,
    // The dialler's order counts: TLS is twice as fast; peers in Rust may have Noise alone.
    connectionEncrypters: [corkedTls(), noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
        streamOptions: { maxStreamWindowSize: MAX_WINDOW },
      }),
    ],
    ...(psk !== undefined && { connectionProtector: preSharedKey({ psk }) }),
    connectionGater: gater,
    connectionManager: {
      maxConnections: limits.maxConnections ?? 200,
      inboundConnectionThreshold: limits.connectionsPerSecond ?? 5,
      maxIncomingPendingConnections: 20,
      dialTimeout: 15_000,
      addressSorter: dialOrder(lan),
      inboundUpgradeTimeout: 10_000,
      inboundStreamProtocolNegotiationTimeout: 10_000,
    },
    // A link whose peer is gone without a word is noticed within half a minute. The library's ten seconds cost a third of what a
    // node with twenty links takes at rest; its five for the answer are not enough for a peer whose machine is busy.
    connectionMonitor: {
      protocolPrefix: 'kith',
      pingInterval: 20_000,
      pingTimeout: { minTimeout: 10_000 },
    },
    peerDiscovery,
    transportManager: { faultTolerance: 1 },
    services: {
      identify: identify(),
      // The monitor of connections pings under the same prefix.
      ping: ping({ protocolPrefix: 'kith' }),
      publicPing: ping(),
      pubsub: gossip(lan),
      ...(settings.dht !== 'off' && {
        dht: kadDHT({
          protocol: DHT_PROTOCOL,
          alpha: 3,
          clientMode: !(settings.dht === 'server' || (settings.dht !== 'client' && lan)),
          // The network's defaults keep a provider for two days; ours come and go within minutes.
          reprovide: { interval: 60_000, validity: 360_000, threshold: 240_000 },
          peerInfoMapper: lan ? passthroughMapper : removePrivateAddressesMapper,
          // No values: a put is never compared with what is stored, so that an old record could replace a newer one. Public
          // keys the library takes by itself otherwise, from anybody and any number of them.
          validators: { pk: refuseValue },
          selectors: {},
        }) as unknown as () => KadDHT,
      }),
      ...(upnp !== null && { upnp }),
      ...(relay.serve !== undefined && {
        relay: circuitRelayServer({
          reservations: {
            maxReservations: relay.serve.maxReservations ?? 128,
            applyDefaultLimit: relay.serve.unlimited !== true,
          },
        }),
      }),
    } as never,
  });
}
