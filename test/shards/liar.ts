/**
 * An engine whose leases alter what they compute, for tests of audits.
 *
 * @module test/shards/liar
 */
import type { CellLease, Engine } from '../../src/engine/index.ts';

export interface Lie {
  readonly kind: 'noise' | 'scale';
  /** Of a value. */
  readonly size: number;
  /** Of the steps, those that are altered. 0 to 1. */
  readonly share: number;
}

/** A value of the normal distribution. */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export function altered(rows: Float32Array, { kind, size }: Lie): Float32Array {
  return rows.map((value) => value * (1 + (kind === 'scale' ? size : size * normal())));
}

export function liar(engine: Pick<Engine, 'lease'>, lie: Lie): Pick<Engine, 'lease'> {
  return {
    async lease(...asked) {
      const lease: CellLease = await engine.lease(...asked);
      return {
        ...lease,
        step: async (...step) => {
          const rows = await lease.step(...step);
          return Math.random() < lie.share ? altered(rows, lie) : rows;
        },
        [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
      };
    },
  };
}
