/**
 * This home's own key, for commands that sign.
 *
 * @module cli/own-identity
 */
import { systemRandom } from '../base/index.ts';
import { didOfPeerId, type Identity, openIdentity, readKey } from '../identity/index.ts';
import { askPassphrase } from './passphrase.ts';
import { settingsOf } from './settings.ts';

/** Throws as `openIdentity` does. */
export async function ownIdentity(options: Readonly<Record<string, unknown>>): Promise<Identity> {
  const { config } = settingsOf(options);
  const passphrase = askPassphrase(options, config);
  return (await openIdentity({ home: config.home, random: systemRandom, passphrase })).identity;
}

/** The `did:key` of this home: no passphrase is needed to know it. */
export async function ownDid(options: Readonly<Record<string, unknown>>): Promise<string> {
  const file = await readKey(settingsOf(options).config.home);
  return file === null ? (await ownIdentity(options)).did : didOfPeerId(file.peerId);
}
