/**
 * Settings of the node's identity.
 *
 * @module base/settings/identity
 */
import { path } from './setting.ts';

export const identitySettings = {
  'identity.passphraseFile': {
    ...path(
      "File with the passphrase of this node's key, where kith identity encrypt gave it one; /dev/fd/3 works too.",
    ),
    flag: '--passphrase-file',
  },
} as const;
