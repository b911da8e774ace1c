/**
 * Settings of knowledge bases that this node keeps on the disks of peers.
 *
 * @module base/settings/vault
 */
import { flagSetting } from './setting.ts';

export const vaultSettings = {
  'vault.perturbed': flagSetting(
    'Whether knowledge bases may be placed and searched in the mode perturbed, which is weak: it hides text from casual inspection, not from the operator. Only for programs that can search nothing but plain vectors.',
    false,
  ),
} as const;
