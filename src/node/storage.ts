/**
 * The space that this node lends: whom its owner lends it to, and what the owner sees of it.
 *
 * @module node/storage
 */
import { rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, KithError, type Logger, messageOf, reaches } from '../base/index.ts';
import type { StorageDesk, VaultFigures } from '../server/index.ts';
import type { IncomingCall, ReplyInit, SpaceTerms } from '../swarm/index.ts';
import type { EveAccount, EveHost } from '../vault/index.ts';
import { storageFolder } from './home-files.ts';
import { lentPlace, noteLentPlace } from './storage-place.ts';
import type { PeerNetwork } from './swarm-asking.ts';

export interface NodeStorage extends AsyncDisposable {
  /** Null: this node lends nothing. */
  readonly answerPeer: ((call: IncomingCall) => Promise<ReplyInit>) | null;
  /** On which terms, as they are announced; null while nothing can be lent. Never throws; takes a second at most. */
  space(): Promise<SpaceTerms | null>;
  readonly desk: StorageDesk;
  /** Null: this node lends nothing. */
  figures(): VaultFigures['lent'];
}

export interface NodeStorageParts {
  readonly config: Pick<Config, 'home' | 'storage' | 'swarm'>;
  readonly peers: Pick<PeerNetwork, 'standing'>;
  readonly log: Logger;
}

/** What can be kept here: an Eve serves both alike. */
const MODES = ['sealed', 'split'] as const;
const LOOK_MS = 1000;

export function createNodeStorage({ config, peers, log }: NodeStorageParts): NodeStorage {
  const { home, storage, swarm } = config;
  const folder = storageFolder(config);
  const enabled = storage.enabled && swarm.enabled;
  const friends = new Set(swarm.friends);
  let eve: Promise<EveHost> | null = null;

  /** The room is loaded where space is lent, and not before it is said or asked. */
  function need(): Promise<EveHost> {
    if (!storage.enabled) throw off();
    eve ??= open().catch((error: unknown) => {
      eve = null;
      throw error;
    });
    return eve;
  }

  async function open(): Promise<EveHost> {
    const mustExist = (await lentPlace(home)) !== null;
    const { createEveHost } = await import('../vault/index.ts');
    return createEveHost({
      ...{ folder, mustExist, capacityBytes: storage.capacityBytes, largestBytes: storage.tenantBytes },
      ...{ days: storage.days, graceDays: storage.graceDays, tenantsEach: storage.tenants },
      ...{ memoryBytes: storage.memoryMb << 20, log },
    });
  }

  const isWelcome = (peer: string): boolean =>
    friends.has(peer) ||
    (storage.serveTier !== 'nobody' && reaches(peers.standing(peer).tier, storage.serveTier));

  /** As it was last; null: nothing can be lent, and that was told. */
  let account: EveAccount | null = null;
  let host: EveHost | null = null;
  let trouble: string | null = null;
  let looking: Promise<void> | null = null;
  async function look(): Promise<void> {
    try {
      host = await need();
      account = await host.account();
      if (trouble !== null) log.info('Space can be lent again.');
      trouble = null;
      await noteLentPlace(home, folder);
    } catch (error) {
      if (trouble === null) log.error('Nothing can be lent now.', { cause: messageOf(error) });
      trouble = messageOf(error);
      account = null;
    }
  }

  return {
    async space() {
      if (!enabled) return null;
      // A disk that hangs does not hold up what else is announced.
      looking ??= look().finally(() => {
        looking = null;
      });
      await Promise.race([looking, sleep(LOOK_MS, undefined, { ref: false })]);
      if (account === null) return null;
      return {
        ...{
          modes: MODES,
          freeBytes: account.lendableBytes,
          largestBytes: storage.tenantBytes,
          days: storage.days,
        },
        to: storage.serveTier === 'nobody' ? 'friends' : storage.serveTier,
      };
    },
    figures() {
      if (!enabled) return null;
      const { answered = 0, refusals = {}, bytesIn = 0, bytesOut = 0 } = host?.counters ?? {};
      return { account, waiting: host?.waiting ?? 0, answered, refusals, bytesIn, bytesOut };
    },
    answerPeer: enabled
      ? async ({ peer, metadata, payload }) =>
          (await need()).answer({ peer, welcome: isWelcome(peer), metadata, payload })
      : null,
    desk: {
      async view() {
        const told = {
          ...{
            enabled,
            swarm: swarm.enabled,
            folder,
            capacityBytes: storage.capacityBytes,
            tenantBytes: storage.tenantBytes,
          },
          ...{ days: storage.days, graceDays: storage.graceDays, serveTier: storage.serveTier },
          friends: friends.size,
        };
        if (!storage.enabled)
          return {
            ...told,
            ...{ promisedBytes: 0, usedBytes: 0, tenants: [] },
            counters: { answered: 0, refused: 0, refusals: {}, bytesIn: 0, bytesOut: 0 },
          };
        const host = await need();
        const [tenants, { promisedBytes }] = await Promise.all([host.tenants(), host.totals()]);
        return {
          ...told,
          promisedBytes,
          usedBytes: tenants.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
          tenants: tenants.map(({ now: _now, ...tenant }) => tenant),
          counters: host.counters,
        };
      },
      async bringBack(owner, label, file) {
        if ((await stat(file).catch(() => null))?.isFile() !== true)
          throw new KithError(
            'file_not_found',
            `There is no file ${file}. Name one that kith storage backup made.`,
            {
              status: 404,
            },
          );
        await (await need()).bringBack(owner, label, file);
      },
      async destroy(owner, label) {
        await (await need()).destroy(owner, label);
      },
      async backup(owner, label, file) {
        if ((await stat(file).catch(() => null)) !== null)
          throw new KithError('export_exists', `There is a file ${file} already. Name another one.`, {
            status: 409,
          });
        try {
          await (await need()).backup(owner, label, file);
        } catch (error) {
          await rm(file, { force: true });
          throw error;
        }
        return { file, bytes: (await stat(file)).size };
      },
    },
    async [Symbol.asyncDispose]() {
      await (await eve?.catch(() => null))?.[Symbol.asyncDispose]();
    },
  };
}

const off = (): KithError =>
  new KithError(
    'storage_off',
    'This node lends no space. Switch it on with kith storage init, and start the node again.',
    { status: 409 },
  );
