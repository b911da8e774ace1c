/**
 * Eves beside Bob, whose answers wait as long as ways over the Internet take, and what they are asked and give.
 *
 * @module node/vault-bench/eves
 */
import { join } from 'node:path';
import { silentLogger, systemClock } from '../../base/index.ts';
import { createEve, type LocalEve, type PlacedEve, tenantAt, type VaultRoot } from '../../vault/index.ts';
import type { BenchVectors } from './vectors.ts';

export interface AtEves {
  readonly data: BenchVectors;
  readonly root: VaultRoot;
  /** Eves. */
  readonly count: number;
  readonly folder: string;
}

export interface BenchEves extends Disposable {
  readonly placed: readonly PlacedEve[];
  /** Ms of arithmetic, and bytes, of all together since it was asked last. */
  taken(): { readonly ms: number; readonly calls: number; readonly up: number; readonly down: number };
  /** From now on answers wait. */
  slow(rttMs: number): void;
}

/** Eves of two operators in this process, each with a tenant on the disk. */
export async function evesOf({ data, root, count, folder }: AtEves): Promise<BenchEves> {
  let wait = 0;
  let sum = { ms: 0, calls: 0, up: 0, down: 0 };
  const eves: LocalEve[] = [];
  const label = root.label('bench');
  const placed: PlacedEve[] = [];
  for (let i = 0; i < count; i++) {
    const eve = createEve({
      ...{ folder: join(folder, `${i}`), capacityBytes: 1e12, largestBytes: 1e12, days: 9, graceDays: 9 },
      ...{ reserveBytes: 0, memoryBytes: 1 << 30, clock: systemClock, log: silentLogger },
    });
    eves.push(eve);
    const tenant = tenantAt(`eve-${i}`, label, async (metadata, payload) => {
      if (wait > 0) await systemClock.sleep(wait);
      const began = performance.now();
      const { metadata: told, payload: bytes = new Uint8Array(0) } = await eve.answer({
        ...{ peer: '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn', welcome: true, metadata, payload },
      });
      sum = {
        ...{ ms: sum.ms + performance.now() - began, calls: sum.calls + 1 },
        ...{ up: sum.up + payload.length, down: sum.down + bytes.length },
      };
      return { metadata: told, payload: bytes };
    });
    // Blocks of vectors, rows of vectors and of texts, and as much again.
    await tenant.create(2 ** 28 + 2 * data.rows.length * (6 * data.dimension + 2048), 5);
    placed.push({ peer: `eve-${i}`, operator: `operator ${i % 2}`, tenant });
  }
  return {
    placed,
    taken() {
      const taken = sum;
      sum = { ms: 0, calls: 0, up: 0, down: 0 };
      return taken;
    },
    slow(rttMs) {
      wait = rttMs;
    },
    [Symbol.dispose]() {
      for (const eve of eves) eve[Symbol.dispose]();
    },
  };
}
