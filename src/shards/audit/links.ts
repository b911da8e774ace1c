/**
 * Whether what one shard shows that it sent is what the next one says that it received.
 *
 * Rows may have been rounded on their way, to `f16` or in blocks of `i8`; what was received of what was shown is one of few
 * values, and the digest says which.
 *
 * @module shards/audit/links
 */
import { ACTIVATION_TYPES } from '../types.ts';
import { activationBytes, overflows, readActivations, writeActivations } from '../wire/activations.ts';
import { AUDIT_BOUNDS, rowDigests } from '../wire/audit.ts';

const { digestBytes } = AUDIT_BOUNDS;

/**
 * @param sent rows × width as they were before they travelled
 * @param came digests of the rows that came, 16 bytes each
 * @returns the rows as they came; null when some are not what was sent
 */
export function asReceived(sent: Float32Array, came: Uint8Array, width: number): Float32Array | null {
  const rows = sent.slice();
  const open = new Set(Array.from({ length: sent.length / width }, (_, row) => row));
  for (const type of ACTIVATION_TYPES) {
    for (const row of [...open]) {
      const values = sent.subarray(row * width, (row + 1) * width);
      if (overflows(values, type)) continue;
      const bytes = new Uint8Array(activationBytes(type, 1, width));
      writeActivations(type, values, width, bytes, 0);
      const travelled = readActivations(type, 1, width, bytes, 0);
      const digest = came.subarray(row * digestBytes, (row + 1) * digestBytes);
      if (Buffer.compare(rowDigests(travelled, width), digest) !== 0) continue;
      rows.set(travelled, row * width);
      open.delete(row);
    }
    if (open.size === 0) return rows;
  }
  return null;
}
