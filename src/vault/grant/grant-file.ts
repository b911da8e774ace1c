/**
 * What the holder of a grant is sent: the grant that Eves honour, the places, and the keys that open one collection for reading, sealed
 * to the holder's key. It travels as a line of text, by whatever way.
 *
 * Version 1: `kith-vault-grant:` and base64url of
 *
 * | Bytes | Hold |
 * |---|---|
 * | 32 | the holder's Ed25519 key |
 * | n | sealed to it (`identity/key/seal-to.ts`), bound to the text before and to these 32 bytes: 64 bytes signature of the grant's issuer for the purpose `vault-grant-file` over the rest; the rest |
 *
 * The rest is a CBOR map: `v` (1), `grant` (its bytes), `name`, `id` (of the collection), `mode`, `replicas`, `eves` (maps `peer`, `operator`),
 * `number` (the state at the time; nobody shows the holder an older one), `epoch`, `writer` (32 B), `keys` (map, 32 B each).
 *
 * The keys are those of one epoch below the collection: not the root, and not what signs heads. They open all that is placed until the owner
 * changes them; when the grant ends, Eves stop giving.
 *
 * @module vault/grant/grant-file
 */
import {
  type CborMap,
  decodeCbor,
  encodeCbor,
  Fields,
  InputError,
  isMap,
  isPeerId,
  type Random,
} from '../../base/index.ts';
import {
  fromBase64url,
  type Identity,
  peerIdOf,
  publicKeyOfDid,
  SEALED_TO_BYTES,
  sealTo,
  toBase64url,
  verify,
} from '../../identity/index.ts';
import { MAX_EVES } from '../collection/about.ts';
import { readVaultGrant, type VaultGrant } from '../eve/grant.ts';
import { KEY_BYTES, KEY_USES, type KeyUse, type ReadingKeys } from '../keys/keys.ts';
import type { Place } from '../place/rendezvous.ts';
import { VAULT_MODES, type VaultMode } from '../seal/manifest.ts';
import { VAULT_WIRE } from '../wire/messages.ts';

const PREFIX = 'kith-vault-grant:';
/** Characters of a text: 64 Eves take 12 KiB. */
export const GRANT_TEXT_CHARS = 65_536;
const SIGNATURE_BYTES = 64;
const CBOR = { maxBytes: 32_768, maxItems: 1024, maxDepth: 4 };
const MOST = { epoch: 2 ** 32 - 1, number: Number.MAX_SAFE_INTEGER } as const;

/** A collection that somebody may read. */
export interface VaultAccess {
  readonly grant: VaultGrant;
  /** What its owner calls it. */
  readonly name: string;
  readonly mode: VaultMode;
  readonly replicas: number;
  readonly eves: readonly Place[];
  /** Number of its state when the grant was given. */
  readonly number: number;
  /** Of the collection that it is. */
  readonly reading: ReadingKeys;
}

/** @param issuer of the grant in it */
export function sealGrantFile(
  issuer: Pick<Identity, 'sign'>,
  { grant, name, mode, replicas, eves, number, reading }: VaultAccess,
  random: Pick<Random, 'bytes'>,
): string {
  const body = encodeCbor(
    {
      ...{ v: 1, grant: grant.bytes, name, id: reading.collection, mode, replicas, number },
      eves: eves.map(({ peer, operator }) => ({ peer, operator })),
      ...{ epoch: reading.epoch, writer: reading.writer, keys: { ...reading.keys } },
    },
    CBOR,
  );
  const holder = publicKeyOfDid(grant.holder);
  const plain = Buffer.concat([issuer.sign('vault-grant-file', body), body]);
  return `${PREFIX}${toBase64url(Buffer.concat([holder, sealTo(holder, 'vault-grant', aadOf(holder), plain, random)]))}`;
}

const aadOf = (holder: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(PREFIX), holder]);

/**
 * Says nothing of when the grant holds: Eve does, by her clock.
 *
 * @throws InputError `vault_grant_file`, `vault_grant_not_yours`
 */
export function openGrantFile(
  holder: Pick<Identity, 'did' | 'peerId' | 'publicKey' | 'openSealed'>,
  text: string,
): VaultAccess {
  const line = text.trim();
  if (!line.startsWith(PREFIX) || line.length > GRANT_TEXT_CHARS)
    throw invalid(`a grant is a line that begins with '${PREFIX}'`);
  const coded = line.slice(PREFIX.length);
  const bytes = fromBase64url(coded, Math.floor((coded.length * 3) / 4));
  if (bytes === null || bytes.length < KEY_BYTES + SEALED_TO_BYTES + SIGNATURE_BYTES)
    throw invalid('some of the line is missing, or other characters are in it');
  const key = bytes.slice(0, KEY_BYTES);
  if (Buffer.compare(key, holder.publicKey) !== 0) throw notYours(key, holder.peerId);
  const plain = holder.openSealed('vault-grant', aadOf(key), bytes.subarray(KEY_BYTES));
  if (plain === null || plain.length < SIGNATURE_BYTES) throw invalid('it was changed on its way');
  const body = plain.slice(SIGNATURE_BYTES);
  const access = accessOf(body);
  const { grant } = access;
  if (grant.holder !== holder.did) throw invalid('the grant in it is for somebody else');
  const signature = plain.slice(0, SIGNATURE_BYTES);
  if (!verify(publicKeyOfDid(grant.issuer), 'vault-grant-file', body, signature))
    throw invalid('who gave the grant did not write what is around it');
  return access;
}

function accessOf(body: Uint8Array): VaultAccess {
  try {
    const fields = new Fields(decodeCbor(body, CBOR) as CborMap, 'a grant', invalid);
    if (fields.count('v', 1) !== 1) throw invalid('it is of another version');
    const grant = readVaultGrant(fields.bytesUpTo('grant', VAULT_WIRE.grantBytes));
    const place = {
      ...{ name: fields.text('name', 200, 1), mode: fields.oneOf('mode', VAULT_MODES) },
      ...{ replicas: fields.count('replicas', MAX_EVES), number: fields.count('number', MOST.number) },
      eves: fields.list('eves', MAX_EVES).map((eve) => {
        if (!isMap(eve)) throw invalid('an Eve is none');
        const each = new Fields(eve, 'an Eve', invalid);
        const one = { peer: each.text('peer', 128, 1), operator: each.textOrNull('operator', 200) };
        each.end();
        if (!isPeerId(one.peer)) throw invalid('an Eve has no PeerId');
        return one;
      }),
    };
    const reading = {
      ...{ collection: fields.text('id', 64, 1), epoch: fields.count('epoch', MOST.epoch) },
      writer: fields.bytes('writer', KEY_BYTES),
      keys: keysOf(fields.any('keys')),
    };
    fields.end();
    if (place.replicas === 0 || place.eves.length === 0) throw invalid('it names no Eve');
    return { grant, ...place, reading };
  } catch (error) {
    if (error instanceof InputError && error.code === 'vault_grant_file') throw error;
    throw invalid('what is in it is no grant', error);
  }
}

function keysOf(value: unknown): Partial<Record<KeyUse, Uint8Array>> {
  const fields = new Fields(value as CborMap, 'the keys', invalid);
  const keys: Partial<Record<KeyUse, Uint8Array>> = {};
  for (const use of KEY_USES) if (fields.has(use)) keys[use] = fields.bytes(use, KEY_BYTES);
  fields.end();
  return keys;
}

function invalid(why: string, cause?: unknown): InputError {
  return new InputError(
    'vault_grant_file',
    `This is no grant to a vault that can be used: ${why}. Have the file sent again, whole.`,
    cause === undefined ? {} : { cause },
  );
}

function notYours(key: Uint8Array, own: string): InputError {
  let whose = 'somebody else';
  try {
    whose = peerIdOf(key);
  } catch {
    // No key of anybody: it was changed on its way.
  }
  return new InputError(
    'vault_grant_not_yours',
    `This grant is for ${whose}, and this node is ${own}. Have it given to this one (kith vpk grant create KB --to ${own}).`,
  );
}
