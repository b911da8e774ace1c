/**
 * Keys of a collection. One secret of 32 bytes stands above all: derived from the identity's seed, and for the content of some
 * collections from a passphrase beside it (`passphrase.ts`). Below it HKDF-SHA256 (RFC 5869) makes a key for each collection, use and epoch, so that none tells
 * another, and a rotation is a new epoch. Who may read a collection gets the keys of one epoch that open it, and neither what is
 * above them nor what signs its heads.
 *
 * ```
 * root ── label: what Eve calls the tenant (opaque to her)
 *      ├─ about a label: which collection that is
 *      └─ collection, epoch ── head, pages        AES-256-GCM; manifest likewise, in heads of version 1
 *                           ├─ writer            Ed25519: signs heads, and is given to nobody
 *                           ├─ secret            ternary secrets of `split`, one for each block
 *                           ├─ noise, public     errors, checks and public polynomials of `split`
 *                           ├─ rows              what is fetched unseen, a key for each table
 *                           └─ perturb           rotation, scale and noise of `perturbed`
 * ```
 *
 * @module vault/keys/keys
 */
import { hkdfSync } from 'node:crypto';
import { KithError, toHex } from '../../base/index.ts';
import { createIdentity, type Identity } from '../../identity/index.ts';

export const KEY_BYTES = 32;
export const CHECK_BYTES = 16;

/** What derives bytes of a node's seed: an `Identity`. */
export interface Deriver {
  derive(use: string, length: number): Uint8Array;
}

/** What a key below a collection is for. */
export const KEY_USES = [
  'manifest',
  'head',
  'pages',
  'secret',
  'noise',
  'public',
  'rows',
  'perturb',
] as const;
export type KeyUse = (typeof KEY_USES)[number];

/** Gives the keys of collections: an owner's root, or what somebody was given of one. */
export interface KeyRing {
  /** @throws KithError `vault_grant_keys`: they were not given */
  keysOf(collection: string, epoch: number): CollectionKeys;
}

export interface VaultRoot extends KeyRing {
  /** What Eve calls the tenant of this collection: 32 hex digits that tell her nothing, not even with others beside them. */
  label(collection: string): string;
  /** Opens what a tenant is about: 32 bytes. */
  aboutKey(label: string): Uint8Array;
  /** The root of a collection that takes a second secret, of 32 bytes, to open. */
  beside(second: Uint8Array): VaultRoot;
  /** Tells whether this is the root that was meant, and nothing of it: 16 bytes. */
  readonly check: Uint8Array;
}

export interface CollectionKeys {
  readonly collection: string;
  readonly epoch: number;
  /** 32 bytes. @throws KithError `vault_grant_keys`: it was not given */
  key(use: KeyUse): Uint8Array;
  /** What heads are signed with: Ed25519, 32 bytes. */
  readonly writer: Uint8Array;
  /** 64 bytes. @throws KithError `vault_read_only`: these keys are for reading alone */
  signHead(bytes: Uint8Array): Uint8Array;
}

export function rootOfIdentity(identity: Deriver): VaultRoot {
  return rootOf(identity.derive('vault/root', KEY_BYTES));
}

export function rootOf(secret: Uint8Array): VaultRoot {
  keyOf(secret);
  return {
    label: (collection) => toHex(below(secret, `label/${collection}`, 16)),
    aboutKey: (label) => below(secret, `about/${label}`, KEY_BYTES),
    beside: (second) => rootOf(below(Buffer.concat([secret, keyOf(second)]), 'beside', KEY_BYTES)),
    get check() {
      return below(secret, 'check', CHECK_BYTES);
    },
    keysOf(collection, epoch) {
      const own = below(secret, `collection/${epoch}/${collection}`, KEY_BYTES);
      let made: Identity | null = null;
      const writer = () => {
        made ??= createIdentity(below(own, 'writer', KEY_BYTES));
        return made;
      };
      return {
        ...{ collection, epoch, key: (use) => below(own, use, KEY_BYTES) },
        get writer() {
          return writer().publicKey;
        },
        signHead: (bytes) => writer().sign('vault-head', bytes),
      };
    },
  };
}

function keyOf(secret: Uint8Array): Uint8Array {
  if (secret.length !== KEY_BYTES) throw new TypeError(`A root has ${KEY_BYTES} bytes.`);
  return secret;
}

/** What one who may read a collection is given of its keys. */
export interface ReadingKeys {
  readonly collection: string;
  readonly epoch: number;
  /** Who signs its heads: Ed25519, 32 bytes. */
  readonly writer: Uint8Array;
  /** 32 bytes each. */
  readonly keys: Readonly<Partial<Record<KeyUse, Uint8Array>>>;
}

/** What opens heads, pages, and what is searched; all else is sealed under keys that stand in the pages. */
const READING_USES = KEY_USES.filter((use) => use !== 'manifest');

export const readingKeys = ({ collection, epoch, writer, key }: CollectionKeys): ReadingKeys => ({
  ...{ collection, epoch, writer },
  keys: Object.fromEntries(READING_USES.map((use) => [use, key(use)])),
});

export function ringOf({ collection, epoch, writer, keys }: ReadingKeys): KeyRing {
  return {
    keysOf(asked, of) {
      if (asked !== collection || of !== epoch) throw notGiven();
      return {
        ...{ collection, epoch, writer },
        key: (use) => keys[use] ?? raise(notGiven()),
        signHead: () => raise(readOnly()),
      };
    },
  };
}

function raise(error: Error): never {
  throw error;
}

const notGiven = (): KithError =>
  new KithError(
    'vault_grant_keys',
    'The grant does not open this state of the knowledge base: its owner changed the keys since. Ask for a new grant.',
    { status: 403 },
  );

const readOnly = (): KithError =>
  new KithError('vault_read_only', 'This grant is for reading: only the owner changes what is kept.', {
    status: 403,
  });

function below(secret: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', secret, Buffer.alloc(0), Buffer.from(`kith-vault-v1/${info}`), length),
  );
}
