/**
 * Counts what this node asks Eves, and what becomes of it: on the way to the network, so that nothing that is asked is missed.
 *
 * @module node/vault-watch
 */
import { isKithError } from '../base/index.ts';
import type { VaultFigures } from '../server/index.ts';
import type { PeerNetwork } from './swarm-asking.ts';

/** Calls of the vault (`vault/wire/messages.ts`, which is not loaded for this). */
const VAULT_METHOD = '/kith/vault/1';

export interface VaultWatch<Peers> {
  /** The same network, whose calls of the vault are counted. */
  readonly peers: Peers;
  /** An Eve did not give what she took, or gave something else. */
  fault(kind: string): void;
  figures(): VaultFigures['asked'];
}

export function watchVault<Peers extends Pick<PeerNetwork, 'swarm'>>(peers: Peers): VaultWatch<Peers> {
  /** By op and outcome; there are few of both. */
  const calls = new Map<string, { readonly op: string; readonly outcome: string; count: number }>();
  const faults = new Map<string, number>();
  const bytes = { bytesIn: 0, bytesOut: 0 };

  function count(op: string, outcome: string): void {
    const key = `${op} ${outcome}`;
    const known = calls.get(key);
    if (known === undefined) calls.set(key, { op, outcome, count: 1 });
    else known.count += 1;
  }

  const call: PeerNetwork['swarm']['call'] = async (peer, method, metadata, payload, ...rest) => {
    if (method !== VAULT_METHOD) return peers.swarm.call(peer, method, metadata, payload, ...rest);
    const op = String(metadata?.op);
    // Before it is handed over: the network takes what it is given.
    bytes.bytesOut += payload instanceof Uint8Array ? payload.length : 0;
    try {
      const reply = await peers.swarm.call(peer, method, metadata, payload, ...rest);
      bytes.bytesIn += reply.payload.length;
      count(op, 'answered');
      return reply;
    } catch (error) {
      // Another Eve was faster, or who asked went.
      const ended = isKithError(error) && error.code === 'aborted';
      count(
        op,
        ended ? 'ended' : isKithError(error) && error.code.startsWith('storage_') ? 'refused' : 'failed',
      );
      throw error;
    }
  };

  const swarm = Object.create(peers.swarm, { call: { value: call } }) as PeerNetwork['swarm'];
  return {
    peers: Object.create(peers, { swarm: { value: swarm } }) as Peers,
    fault: (kind) => void faults.set(kind, (faults.get(kind) ?? 0) + 1),
    figures: () => ({ calls: [...calls.values()], faults: Object.fromEntries(faults), ...bytes }),
  };
}
