/**
 * The book of work between this node and its peers: what it computed for them and they for it, signed by both sides.
 *
 * @module shards/work/book
 */
import { type Clock, type Logger, messageOf, type Random, toHex } from '../../base/index.ts';
import type { Accounting } from '../wire/account.ts';
import { digestOf } from './chain.ts';
import {
  BOOK_BYTES,
  encodeWork,
  nameOf,
  readWork,
  signWork,
  type WorkFacts,
  type WorkSigner,
} from './receipt.ts';
import type { StoreLimits } from './schema.ts';
import {
  ACCOUNT_LIMITS,
  type AccountLimits,
  type PartOfSession,
  type ServedWork,
  serveWork,
  UNCOUNTED,
} from './served.ts';
import { type Contradiction, openWorkStore, type WorkStore } from './store.ts';
import type { Account, WorkSession } from './types.ts';
import { type UsedWork, useWork } from './used.ts';

export interface WorkBookOptions {
  /** Of the file, or `:memory:`. */
  readonly path: string;
  readonly identity: WorkSigner;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Pick<Random, 'bytes'>;
  readonly log: Logger;
  /** A peer signed two receipts that cannot both be. Told once of each pair. */
  readonly onContradiction?: (contradiction: Omit<Contradiction, 'at'>) => void;
  /** A shard accounts for what no sound one would: of another session, other blocks, another's signature. */
  readonly onForged?: (peer: string, why: string) => void;
  readonly accounts?: Partial<AccountLimits>;
  readonly limits?: Partial<StoreLimits>;
}

export interface WorkBook extends Disposable {
  /** A session that a peer has at this node. */
  served(session: WorkSession): ServedWork;
  /** A session that this node has at a peer. Null: it is one with itself, and there is nobody to sign for. */
  used(session: WorkSession): UsedWork | null;
  readonly store: Pick<WorkStore, 'list' | 'totals' | 'contradictions'>;
}

/** Owners whose last receipt is remembered. One who was forgotten gets a new book. */
const MAX_BOOKS = 4096;

interface Book {
  readonly id: Uint8Array;
  sequence: number;
  previous: Uint8Array | null;
}

/** Throws KithError of base/sqlite when the file cannot be used. */
export function openWorkBook(options: WorkBookOptions): WorkBook {
  const { path, identity, clock, random, log, onContradiction, limits } = options;
  const store = openWorkStore({ path, clock, ...(limits !== undefined && { limits }) });
  const accounts = { ...ACCOUNT_LIMITS, ...options.accounts };
  const books = new Map<string, Book>();
  /** Sessions of peers here. */
  const underWay = new Set<ServedWork>();
  const monotonic = () => clock.monotonic();
  let isOpen = true;
  let failing = false;

  /** What fails must not end a session. Told once until it works again. */
  function guarded<T>(work: () => T): T | null {
    if (!isOpen) return null;
    try {
      const result = work();
      failing = false;
      return result;
    } catch (error) {
      if (!failing) log.warn('a receipt of work was not kept', { err: messageOf(error) });
      failing = true;
      return null;
    }
  }

  /** Whoever is told may fail; the session is not to suffer from that either. */
  function tell(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.error('what a peer did wrong could not be noted', { err: messageOf(error) });
    }
  }

  function bookOf(owner: string): Book {
    let book = books.get(owner);
    if (book === undefined) {
      const last = store.last('given', owner);
      book = {
        id: random.bytes(BOOK_BYTES),
        sequence: last?.sequence ?? 0,
        previous: last?.name ?? null,
      };
      if (books.size >= MAX_BOOKS) books.delete(books.keys().next().value!);
    } else {
      books.delete(owner);
    }
    books.set(owner, book);
    return book;
  }

  function receiptOf(session: WorkSession, done: PartOfSession): Account | null {
    return guarded(() => {
      const { peer: owner, model, from, to } = session;
      const { lasted, ...work } = done;
      const book = bookOf(owner);
      const ended = Math.max(0, Math.floor(clock.now()));
      const receipt = encodeWork({
        ...{ shard: identity.peerId, owner, model, from, to, ...work },
        ...{ session: digestOf(session.session), book: book.id },
        ...{ sequence: book.sequence + 1, previous: book.previous },
        ...{ begun: Math.max(0, ended - lasted), ended },
      });
      const account: Account = { receipt, signature: signWork(receipt, identity) };
      // What was not kept never leaves this process, so that its number may be used again.
      store.add({ side: 'given', account, facts: readWork(receipt), state: 'half' });
      book.sequence++;
      book.previous = nameOf(receipt);
      return account;
    });
  }

  function keep(account: Account, facts: WorkFacts, dispute: string | null): Accounting | null {
    return guarded((): Accounting => {
      const { receipt } = account;
      const name = nameOf(receipt);
      const signature = dispute === null ? signWork(receipt, identity) : null;
      const added = store.add({
        ...{ side: 'taken', account, facts },
        ...(signature === null
          ? { state: 'disputed', reason: dispute! }
          : { state: 'signed', ownerSignature: signature }),
      });
      if (added.outcome === 'contradicts') {
        const { shard: peer } = facts;
        const contradiction = { peer, first: added.other, second: account };
        if (store.note(contradiction)) {
          log.warn('a peer signed two receipts of work that contradict each other', { peer });
          tell(() => onContradiction?.(contradiction));
        }
        return { k: 'disputed', name, what: 'it contradicts another receipt that the shard signed' };
      }
      if (added.outcome === 'known')
        return added.ownerSignature === null
          ? { k: 'disputed', name, what: 'it was disputed before' }
          : { k: 'signed', name, signature: added.ownerSignature };
      return signature === null ? { k: 'disputed', name, what: dispute! } : { k: 'signed', name, signature };
    });
  }

  return {
    store,
    served(session) {
      if (session.peer === identity.peerId) return UNCOUNTED;
      const counted = serveWork({
        ...{ session, limits: accounts, monotonic },
        receiptOf: (done) => receiptOf(session, done),
        settle: (name, word) => void guarded(() => store.settle(session.peer, name, word)),
      });
      const work: ServedWork = {
        ...counted,
        [Symbol.dispose]() {
          if (underWay.delete(work)) counted[Symbol.dispose]();
        },
      };
      underWay.add(work);
      return work;
    },
    used(session) {
      if (session.peer === identity.peerId) return null;
      return useWork({
        ...{ session, owner: identity.peerId, monotonic },
        keep,
        onRefused(why, isForged) {
          log.info('a shard accounts for work that it was not seen to do', {
            ...{ peer: session.peer, why },
            session: toHex(digestOf(session.session)).slice(0, 12),
          });
          if (isForged) tell(() => options.onForged?.(session.peer, why));
        },
      });
    },
    [Symbol.dispose]() {
      // Of sessions that end only after the node has closed its files the rest is noted now.
      for (const work of [...underWay]) work[Symbol.dispose]();
      isOpen = false;
      store[Symbol.dispose]();
    },
  };
}
