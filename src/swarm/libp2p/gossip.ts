/**
 * Gossip: how announcements spread.
 *
 * A node with eight neighbours in the mesh hears each message about eight times. The library checks a message's signature
 * before it looks whether it has seen it: measured on a swarm of 16 on one machine, those checks were a third of all that a
 * message cost. A digest of the whole message lets the copies be known by less.
 *
 * @module swarm/libp2p/gossip
 */
import { createHash } from 'node:crypto';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';

/** A message of gossip with its envelope. Subscriptions have tighter limits of their own. */
const GOSSIP_BYTES = 256 * 1024;

/** The fields of a message on the wire; a peer may leave any of them out. */
export interface GossipFields {
  readonly from?: Uint8Array;
  readonly data?: Uint8Array;
  readonly seqno?: Uint8Array;
  readonly topic: string;
  readonly signature?: Uint8Array;
  readonly key?: Uint8Array;
}

/**
 * A name that two messages share only when they are the same in every byte, the signature too: what is known under it was
 * verified, so that nobody can have a message taken for one that was.
 */
export function copyNameOf({ from, data, seqno, topic, signature, key }: GossipFields): string {
  const hash = createHash('sha256');
  const lengths = new Uint32Array(6);
  const fields = [from, data, seqno, Buffer.from(topic), signature, key];
  // Lengths first, a missing field as none that can be, so that no byte can pass from one field to the next.
  for (const [index, field] of fields.entries()) lengths[index] = field?.length ?? 0xffff_ffff;
  hash.update(lengths);
  for (const field of fields) if (field !== undefined) hash.update(field);
  return hash.digest('binary');
}

/** The service of a node; `lan` when all peers may come from one address. */
export function gossip(lan: boolean): () => GossipSub {
  return gossipsub({
    globalSignaturePolicy: 'StrictSign',
    fastMsgIdFn: copyNameOf,
    // One encoding for all neighbours.
    batchPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    maxInboundDataLength: GOSSIP_BYTES,
    maxOutboundBufferSize: 16 * 1024 * 1024,
    // Many nodes behind one address are a test cluster or a home, not an attack, up to a bound.
    scoreParams: { IPColocationFactorWeight: lan ? 0 : -5, IPColocationFactorThreshold: 64 },
  }) as unknown as () => GossipSub;
}
