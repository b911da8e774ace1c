/**
 * The keys as a running node checks them: in memory, and read again as soon as the file changed.
 *
 * @module server/access/keyring
 */
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import { type ApiKey, isUsable, type KeySecret, type KeyStore } from './key-store.ts';
import { keyDigest, keyId, sameDigest } from './key-text.ts';
import { type Bucket, createBucket } from './rate.ts';

/** `lastUsedAt` is written at most this often, ms. */
const touchEveryMs = 60_000;

/** A key with what it has left. */
export interface Held {
  readonly key: ApiKey;
  /** Null: no limit. */
  readonly requests: Bucket | null;
  readonly tokens: Bucket | null;
}

interface Entry extends Held {
  readonly secrets: readonly KeySecret[];
  touchedAt: number;
}

export type Found = Held | 'unknown' | 'revoked' | 'expired';

export interface Keyring {
  /** The key that a text opens. Takes the same time for every text that opens none. */
  find(text: string): Found;
}

export function createKeyring(store: KeyStore, clock: Clock, log: Logger): Keyring {
  let version = Number.NaN;
  let entries = new Map<string, Entry>();
  const nobody = new Uint8Array(32);

  function load(): void {
    const secrets = Map.groupBy(store.secrets(), (secret) => secret.key);
    const before = entries;
    entries = new Map(
      store.list().map((key) => {
        const old = before.get(key.id);
        const entry: Entry = {
          key,
          secrets: secrets.get(key.id) ?? [],
          requests: bucketFor(key.requestsPerMinute, old?.requests),
          tokens: bucketFor(key.tokensPerMinute, old?.tokens),
          touchedAt: old?.touchedAt ?? key.lastUsedAt ?? Number.NEGATIVE_INFINITY,
        };
        return [key.id, entry];
      }),
    );
  }

  /** A change of other keys must not refill this one. */
  function bucketFor(limit: number | null, old: Bucket | null | undefined): Bucket | null {
    if (limit === null) return null;
    return old?.limit === limit ? old : createBucket(limit, clock);
  }

  function touch(entry: Entry, now: number): void {
    // A clock that was set back must not keep the old time for as long as it was ahead.
    if (Math.abs(now - entry.touchedAt) < touchEveryMs) return;
    entry.touchedAt = now;
    try {
      store.touch(entry.key.id, now);
    } catch (error) {
      // When a key was last used is not worth a request.
      log.debug('key use not noted', { key: entry.key.id, err: messageOf(error) });
    }
  }

  return {
    find(text) {
      // Asked first: a change that comes between the two is seen by the next request.
      const current = store.version();
      if (current !== version) {
        load();
        version = current;
      }
      const digest = keyDigest(text);
      const entry = entries.get(keyId(text) ?? '');
      const now = clock.now();
      let opens = false;
      for (const secret of entry?.secrets ?? [])
        if (sameDigest(secret.digest, digest) && (secret.endsAt === null || secret.endsAt > now))
          opens = true;
      if (!entry) sameDigest(nobody, digest);
      if (!entry || !opens) return 'unknown';
      if (entry.key.revokedAt !== null) return 'revoked';
      if (!isUsable(entry.key, now)) return 'expired';
      touch(entry, now);
      return entry;
    },
  };
}
