/**
 * Who a lane's ends are to each other: an Ed25519 key made for this run of the node, in a certificate that it signed itself.
 * Nobody looks at what the certificate says: each side has been told the other's SHA-256 over the authenticated link.
 *
 * @module swarm/lane/certificate
 */
import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

export const FINGERPRINT_BYTES = 32;

export interface LaneIdentity {
  /** For both roles. */
  readonly context: SecureContext;
  /** SHA-256 of the certificate. */
  readonly fingerprint: Uint8Array;
}

/** Tags of DER (ITU-T X.690). */
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OID = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const EXPLICIT_0 = 0xa0;
const ED25519 = '2b6570';
const COMMON_NAME = '550403';

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  // Up to 255 bytes: nothing here is longer.
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const oid = (hex: string) => der(OID, Buffer.from(hex, 'hex'));
const time = (text: string) => der(GENERALIZED_TIME, Buffer.from(text));

/** A certificate (RFC 5280, RFC 8410) without dates that mean anything: a wrong clock is no reason to be refused. */
export function createLaneIdentity(): LaneIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const algorithm = der(SEQUENCE, oid(ED25519));
  const commonName = der(SEQUENCE, oid(COMMON_NAME), der(UTF8_STRING, Buffer.from('kith lane')));
  const name = der(SEQUENCE, der(SET, commonName));
  const body = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    name,
    der(SEQUENCE, time('19700101000000Z'), time('99991231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign(null, body, privateKey));
  const certificate = der(SEQUENCE, body, algorithm, signature);
  const context = createSecureContext({
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // The shorter key is a fifth faster and breaks no sooner. The others are for processors without AES instructions.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384',
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  return { context, fingerprint: fingerprintOf(certificate) };
}

export function fingerprintOf(certificate: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(certificate).digest());
}
