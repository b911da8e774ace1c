/**
 * Which certificate and key the configuration names.
 *
 * @module node/tls-files
 */
import { type Config, InputError } from '../base/index.ts';
import type { TlsFiles } from '../server/index.ts';

/** Throws `tls_invalid` when only one of the two files is named. */
export function tlsFiles({ server: { tlsCert, tlsKey } }: Config): TlsFiles | null {
  if (tlsCert === '' && tlsKey === '') return null;
  if (tlsCert !== '' && tlsKey !== '') return { cert: tlsCert, key: tlsKey };
  const missing = tlsCert === '' ? 'server.tlsCert' : 'server.tlsKey';
  throw new InputError('tls_invalid', `TLS needs a certificate and its key: ${missing} is not set.`, {
    param: missing,
  });
}
