/**
 * Who the node is: opened first of all, so that a node without its key does not start.
 *
 * @module node/identity
 */
import { type Config, type Logger, systemRandom } from '../base/index.ts';
import { type AskPassphrase, type OpenedIdentity, openIdentity, passphraseFrom } from '../identity/index.ts';
import { type Env, warnIfOpen } from './credentials.ts';

/** Throws as `openIdentity`. */
export async function openNodeIdentity(
  config: Config,
  log: Logger,
  ask: AskPassphrase | undefined,
  env: Env = process.env,
): Promise<OpenedIdentity> {
  const { passphraseFile } = config.identity;
  const opened = await openIdentity({
    home: config.home,
    random: systemRandom,
    passphrase: ask ?? passphraseFrom({ file: passphraseFile, credentials: env.CREDENTIALS_DIRECTORY }),
  });
  if (opened.isProtected && passphraseFile !== '') {
    await warnIfOpen(
      passphraseFile,
      "the file with the passphrase of this node's key can be read by other users of this machine: chmod 600",
      (message, path) => log.warn(message, { path }),
    );
  }
  log.info(opened.isNew ? 'made a key for this node' : 'opened the key of this node', {
    peer: opened.identity.peerId,
  });
  return opened;
}
