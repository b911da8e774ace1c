/**
 * What the configuration says of the swarm, as the swarm room takes it.
 *
 * @module node/swarm-options
 */
import { createServer } from 'node:net';
import { type Config, isErrno, KithError, messageOf } from '../base/index.ts';
import type { GateOptions, SwarmOptions } from '../swarm/index.ts';

const MIB = 2 ** 20;

type FromConfig = Omit<SwarmOptions, 'seed' | 'psk' | 'gate' | 'onMisbehaviour' | 'clock' | 'log'>;

export function swarmOptions({ swarm }: Config): FromConfig {
  return {
    listen: swarm.listen,
    ...(swarm.announce.length === 0 ? {} : { announce: swarm.announce }),
    bootstrap: swarm.bootstrap,
    network: swarm.network,
    dht: swarm.dht,
    relay: {
      use: swarm.relays,
      ...(swarm.relayServe
        ? {
            serve: {
              maxReservations: swarm.relayReservations,
              unlimited: swarm.relayUnlimited,
              ...(swarm.relayUnlimitedTier === 'nobody' ? {} : { unlimitedTier: swarm.relayUnlimitedTier }),
              minTier: swarm.relayMinTier,
            },
          }
        : {}),
    },
    webrtc: swarm.webrtc ? { stun: swarm.stun } : false,
    mdns: swarm.mdns,
    upnp: swarm.upnp,
    lanes: swarm.lanes,
    lanePort: swarm.lanePort,
    limits: {
      maxConnections: swarm.maxConnections,
      connectionsPerSecond: swarm.connectionsPerSecond,
      maxStreams: swarm.maxStreams,
      heapMb: Math.floor(swarm.heapBytes / MIB),
    },
  };
}

export function gateOptions({ swarm }: Config): GateOptions {
  return {
    allowAddresses: swarm.allow,
    denyAddresses: swarm.deny,
    minTier: swarm.minTier,
    requestsPerSecond: swarm.requestsPerSecond,
    requestBurst: 4 * swarm.requestsPerSecond,
    bytesPerSecond: swarm.bytesPerSecond,
    byteBurst: 2 * swarm.bytesPerSecond,
    maxBytesInFlight: swarm.bytesInFlight,
  };
}

/**
 * Throws KithError `swarm_port` when nobody can listen on one of the addresses. libp2p goes on without an address that it
 * cannot have, and the owner would wait for peers that never come.
 */
export async function checkPorts(listen: readonly string[]): Promise<void> {
  for (const address of listen) {
    const [, , host, , port] = address.split('/');
    const fault = await faultOf(host!, Number(port));
    if (fault === null) continue;
    const why = isErrno(fault, 'EADDRINUSE')
      ? `port ${port} is in use by another program`
      : isErrno(fault, 'EADDRNOTAVAIL')
        ? `this machine has no address ${host}`
        : messageOf(fault);
    throw new KithError(
      'swarm_port',
      `Peers cannot be listened to on ${address}: ${why}. Free it, or set swarm.listen to another address.`,
      { status: 503, param: 'swarm.listen' },
    );
  }
}

function faultOf(host: string, port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
