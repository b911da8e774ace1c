/**
 * This home's own key, for commands that sign.
 *
 * @module cli/own-identity
 */
import { systemRandom } from '../base/index.ts';
import { type Identity, openIdentity, passphraseFrom } from '../identity/index.ts';
import { settingsOf } from './settings.ts';

/** Throws as `openIdentity` does. */
export async function ownIdentity(options: Readonly<Record<string, unknown>>): Promise<Identity> {
  const { home } = settingsOf(options).config;
  const passphrase = passphraseFrom({ file: '', credentials: process.env.CREDENTIALS_DIRECTORY });
  return (await openIdentity({ home, random: systemRandom, passphrase })).identity;
}

/** The `did:key` of this home. */
export async function ownDid(options: Readonly<Record<string, unknown>>): Promise<string> {
  return (await ownIdentity(options)).did;
}
