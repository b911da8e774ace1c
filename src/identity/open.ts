/**
 * Opens the node's identity: its key, after what a crash may have left of a rotation is finished.
 *
 * @module identity/open
 */
import { type OpenedIdentity, type OpenIdentityOptions, openKey } from './key/store.ts';
import { recoverRotation } from './rotation/rotate.ts';

/**
 * The identity of a home, made at the first call ever.
 *
 * Throws KithError `key_file_damaged`, `key_file_exposed`, `key_file_unreadable`, `key_file_version`, `identity_lost`,
 * `passphrase_missing`, `passphrase_wrong`. None of them leaves a new identity behind.
 */
export async function openIdentity(options: OpenIdentityOptions): Promise<OpenedIdentity> {
  await recoverRotation(options.home);
  return openKey(options);
}
