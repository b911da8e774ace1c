/**
 * What discovery and messages need of the network.
 *
 * @module swarm/discovery/network
 */
import type { Swarm } from '../types.ts';

export type Network = Pick<
  Swarm,
  'peer' | 'subscribe' | 'publish' | 'subscribers' | 'provide' | 'findProviders' | 'call' | 'handle' | 'learn'
>;
