/**
 * TLS from two PEM files, read again when they change (certificates are renewed under a running node).
 *
 * @module server/tls
 */
import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { aheadText, type Clock, InputError, type Logger, messageOf, readFileBounded } from '../base/index.ts';

export interface TlsFiles {
  /** Paths of PEM files: the certificate with what its chain needs, and its private key. */
  readonly cert: string;
  readonly key: string;
}

/** What was in the files, and fits together. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, as `aa:bb:…` in upper case: what the command line knows its node by. */
  readonly fingerprint: string;
  /** Begin and end of the certificate's validity, ms since epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

const maxPemBytes = 1_000_000;
/** How often the files are looked at, ms. */
export const tlsCheckMs = 30_000;

/** Throws `tls_invalid`, which names the file. */
export async function readCredentials({ cert, key }: TlsFiles): Promise<Credentials> {
  const read = async (path: string, setting: string) => {
    try {
      return new TextDecoder().decode(await readFileBounded(path, maxPemBytes));
    } catch (error) {
      throw invalid(setting, `${messageOf(error)} (setting ${setting})`, error);
    }
  };
  const pem = { cert: await read(cert, 'server.tlsCert'), key: await read(key, 'server.tlsKey') };
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem.cert);
  } catch (error) {
    throw invalid('server.tlsCert', `${cert} holds no PEM certificate: ${messageOf(error)}`, error);
  }
  try {
    createSecureContext(pem);
  } catch (error) {
    const why = `${key} is not the PEM private key of the certificate in ${cert}: ${messageOf(error)}`;
    throw invalid('server.tlsKey', why, error);
  }
  const { fingerprint256: fingerprint, validFrom, validTo } = certificate;
  return { ...pem, fingerprint, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) };
}

/** Clients refuse a certificate that has not begun, and say nothing of clocks. */
export function warnEarly({ validFrom }: Pick<Credentials, 'validFrom'>, now: number, log: Logger): void {
  if (validFrom <= now) return;
  log.warn(
    `The certificate in server.tlsCert is valid from ${new Date(validFrom).toISOString()} on, ${aheadText(validFrom, now)}.`,
  );
}

/** Calls `apply` with new credentials whenever the files changed; files that do not fit leave the old ones in force. */
export async function watchCredentials(
  files: TlsFiles,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
  apply: (credentials: Credentials) => Promise<void> | void,
): Promise<void> {
  let seen = await stampOf(files);
  for (;;) {
    await clock.sleep(tlsCheckMs, signal);
    const stamp = await stampOf(files);
    if (stamp === seen) continue;
    seen = stamp;
    try {
      const credentials = await readCredentials(files);
      warnEarly(credentials, clock.now(), log);
      await apply(credentials);
      log.info('certificate read again', { file: files.cert });
    } catch (error) {
      log.warn('certificate not read again; the old one stays', { err: messageOf(error) });
    }
  }
}

async function stampOf({ cert, key }: TlsFiles): Promise<string> {
  const one = (path: string) =>
    stat(path, { bigint: true }).then(
      ({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`,
      () => 'none',
    );
  return (await Promise.all([one(cert), one(key)])).join(' ');
}

function invalid(param: string, message: string, cause: unknown): InputError {
  return new InputError('tls_invalid', message, { param, cause });
}
