/**
 * Points of low order on edwards25519: keys under which a signature can hold for every message.
 *
 * With the identity point as key, `R = 01 00…, S = 0` verifies any message in OpenSSL as Node 20 and Node up to 24.18 have
 * it. A node with such a key could deny what it signed, so keys and R of low order are refused here, on every runtime.
 *
 * @module identity/key/low-order
 */
import { fromHex } from '../../base/index.ts';

/**
 * y of the eight points of order 1, 2, 4 and 8 in every encoding, little-endian and without the sign bit. Two of them are
 * written with y >= p (`ed…`, `ee…`). With either sign bit these are 14 encodings.
 */
const LOW_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(fromHex);

/** Whether the 32 bytes that begin at `at` encode a point of low order, whatever their sign bit. */
export function isLowOrder(bytes: Uint8Array, at = 0): boolean {
  return LOW_ORDER_Y.some((y) => {
    for (let i = 0; i < 31; i++) if (bytes[at + i] !== y[i]) return false;
    return (bytes[at + 31]! & 0x7f) === y[31];
  });
}

/** Whether y is below p = 2^255 - 19, as RFC 8032, 5.1.3 asks: otherwise one key would have two names. */
export function isCanonicalPoint(bytes: Uint8Array): boolean {
  if ((bytes[31]! & 0x7f) !== 0x7f) return true;
  for (let i = 30; i > 0; i--) if (bytes[i] !== 0xff) return true;
  return bytes[0]! < 0xed;
}

/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, little-endian. */
const L = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

/** Whether the 32 bytes that begin at `at` are a scalar below L (RFC 8032, 5.1.7): else one signature has two forms. */
export function isScalar(bytes: Uint8Array, at: number): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = bytes[at + i]!;
    if (byte !== L[i]) return byte < L[i]!;
  }
  return false;
}
