/**
 * Settings of trust in peers.
 *
 * @module base/settings/trust
 */
import { decimal } from './setting.ts';

export const trustSettings = {
  'trust.auditShare': decimal(
    'Share of the answers of a peer that are computed again here and compared, after its first 20, all of which are; 0 computes none again.',
    0,
    1,
    0,
  ),
} as const;
