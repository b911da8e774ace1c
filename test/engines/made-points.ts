/** The same points in every process. */
import { createHash } from 'node:crypto';
import { createSeededRandom } from '../../src/base/index.ts';
import type { OwnPoint } from '../../src/vault/index.ts';

export async function* madePoints(count: number): AsyncGenerator<OwnPoint> {
  const random = createSeededRandom(21);
  for (let id = 1; id <= count; id++) {
    const vector = Float32Array.from({ length: 8 }, () => random.float() - 0.5);
    const payload = random.bytes(100);
    const digest = createHash('sha256').update(payload).digest().subarray(0, 16);
    yield { id, digest, make: () => ({ id, vector, digest, payload }) };
  }
}
