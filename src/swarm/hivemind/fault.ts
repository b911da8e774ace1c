/**
 * What a Hivemind peer sent is not what its protocol says. Never leaves this folder as it is: an answer that is none counts
 * as no answer, a request that is none is refused.
 *
 * @module swarm/hivemind/fault
 */

export class HivemindFault extends Error {
  override readonly name = 'HivemindFault';
}
