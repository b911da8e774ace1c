/**
 * Settings of knowledge bases that this node keeps on the disks of peers.
 *
 * @module base/settings/vault
 */
import { flagSetting, integer } from './setting.ts';

export const vaultSettings = {
  'vault.autoSync': flagSetting(
    'Whether what peers keep of a knowledge base is brought up to date by itself once changes of it are quiet, while this node runs. Otherwise: kith vpk upload.',
    true,
  ),
  'vault.checkHours': integer(
    'Hours between spot checks of what peers keep, in which each is asked for a few pieces at random; what is lost is made again. 0: none.',
    0,
    8760,
    24,
  ),
  'vault.perturbed': flagSetting(
    'Whether knowledge bases may be placed and searched in the mode perturbed, which is weak: it hides text from casual inspection, not from the operator. Only for programs that can search nothing but plain vectors.',
    false,
  ),
} as const;
