/**
 * How far a peer is trusted, asked of the function that came with the options: for those who connect, and before a byte
 * leaves for them.
 *
 * @module swarm/thread/trust
 */
import { KithError, type Logger, reaches, type Tier } from '../../base/index.ts';
import type { GateOptions } from '../types.ts';

export class Trust {
  readonly #minTier: Tier;
  readonly #tierOf: GateOptions['tierOf'];
  readonly #log: Logger | undefined;

  constructor({ minTier = 'unknown', tierOf }: GateOptions, log: Logger | undefined) {
    this.#minTier = minTier;
    this.#tierOf = tierOf;
    this.#log = log;
  }

  /** Whether the peer may connect and be dialled. */
  async admits(peer: string): Promise<boolean> {
    return this.#minTier === 'unknown' || this.has(peer, this.#minTier);
  }

  /** Whether the peer has the tier at least; false when its tier is not to be learned. */
  async has(peer: string, tier: Tier): Promise<boolean> {
    try {
      const has = (await this.#tierOf?.(peer)) ?? 'unknown';
      return reaches(has, tier);
    } catch (error) {
      this.#log?.child('swarm').warn('the tier of a peer is not known', { why: String(error) });
      return false;
    }
  }

  /** @throws {KithError} `swarm_denied` below the tier asked for, or the gate's when that is higher */
  async require(peer: string, asked: Tier | undefined): Promise<void> {
    const gate = this.#minTier;
    const tier = asked !== undefined && reaches(asked, gate) ? asked : gate;
    if (tier === 'unknown' || (await this.has(peer, tier))) return;
    throw new KithError(
      'swarm_denied',
      `The peer ${peer} is below the tier ${tier} that the request asks for.`,
      { status: 403, details: { peer, tier } },
    );
  }
}
