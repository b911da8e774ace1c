/** `kith storage ...`: the space that this node lends. @module cli/commands/storage */
import { resolve } from 'node:path';
import {
  type Config,
  type ConfigKey,
  formatBytes,
  formatCount,
  freeBytes,
  resolveConfig,
  setInFile,
} from '../../base/index.ts';
import { forgetLentPlace, storageFolder } from '../../node/index.ts';
import type { StorageView } from '../../server/index.ts';
import { connect, type NodeClient, nodeDown, runningNode } from '../client.ts';
import { fullPeer, peerAmong, peerShown } from '../eve-names.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

/** Bytes of the disk that an Eve leaves free (`vault/eve/eve.ts`). */
const LEFT_ALONE_BYTES = 1e9;
const WHOLE_LABEL = /^[0-9a-f]{32}$/;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export const init: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const said: [ConfigKey, unknown][] = [
    ['storage.capacityBytes', options.capacity],
    ['storage.tenantBytes', options.tenant],
    ['storage.days', options.days],
    ['storage.serveTier', options.tier],
    ['storage.folder', options.folder === undefined ? undefined : resolve(String(options.folder))],
    ['storage.enabled', true],
  ];
  const given = said
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, String(value)] as const);
  // All or nothing: what is wrong with one keeps the others from being written.
  resolveConfig({ home: config.home, env: {}, flags: Object.fromEntries(given) });
  for (const [key, value] of given) await setInFile(config.home, key, value);
  if (options.anew === true) await forgetLentPlace(config.home);
  const { config: now } = settingsOf(options);
  say(`From its next start on ${lendingText(now)}`);
  const folder = storageFolder(now);
  const free = await freeBytes(folder);
  if (free - LEFT_ALONE_BYTES < now.storage.capacityBytes)
    say(
      `The disk of ${plain(folder)} has ${formatBytes(free)} free: what is lent ends ${formatBytes(LEFT_ALONE_BYTES)} before it is full.`,
    );
  if (!now.swarm.enabled)
    say(asTyped('The swarm is off, and nobody reaches it then: kith config set swarm.enabled true'));
  tellNobody(now.storage.serveTier, now.swarm.friends.length);
};

function tellNobody(serveTier: StorageView['serveTier'], friends: number): void {
  if (serveTier === 'nobody' && friends === 0)
    say(
      asTyped(
        'There are no friends yet, so that nobody gets any: kith config set swarm.friends PEER, or kith storage init --tier TIER',
      ),
    );
}

export const enable: Handler = init;

export const disable: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  await setInFile(config.home, 'storage.enabled', 'false');
  say(
    asTyped(
      'This node lends nothing from its next start on. What peers keep here stays, and they reach it again once the node lends again (kith vpk enable).',
    ),
  );
};

export const serve: Handler = async (invocation) => {
  const { config } = settingsOf(invocation.options);
  await setInFile(config.home, 'storage.enabled', 'true');
  await setInFile(config.home, 'swarm.enabled', 'true');
  const { config: now } = settingsOf(invocation.options);
  say(`Once it is up ${lendingText(now)}`);
  tellNobody(now.storage.serveTier, now.swarm.friends.length);
  return (await import('./start.ts')).default(invocation);
};

/** What the settings say, for people. */
function lendingText(config: Pick<Config, 'home' | 'storage'>): string {
  const { capacityBytes, tenantBytes, serveTier, days } = config.storage;
  const to = serveTier === 'nobody' ? 'friends' : `friends, and peers of tier ${serveTier} and above`;
  return `this node lends ${formatBytes(capacityBytes)} in ${plain(storageFolder(config))}: to ${to}, ${formatBytes(Math.min(capacityBytes, tenantBytes))} each at most, for ${days} days at a time.`;
}

export const status: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const node = await connect(config.home);
  if (node === null && options.json !== true) {
    print(
      asTyped(
        config.storage.enabled
          ? `No node is running. Once it is (kith start), ${lendingText(config)}`
          : 'No node is running, and none would lend space. Switch it on with kith storage init.',
      ),
    );
    return exitCode.degraded;
  }
  if (node === null) throw nodeDown(config.home);
  const view = await node.call<StorageView>('GET', '/kith/v1/storage');
  if (options.json) printJson(view);
  else tellStorage(view);
  return view.enabled ? exitCode.ok : exitCode.degraded;
};

export function tellStorage(view: StorageView): void {
  if (!view.enabled) {
    print(
      asTyped(
        view.swarm
          ? 'This node lends no space. Switch it on with kith storage init, and start the node again.'
          : 'This node lends no space: its swarm is off, and no peer reaches it. kith config set swarm.enabled true, then start the node again.',
      ),
    );
    return;
  }
  const { capacityBytes, promisedBytes, usedBytes, serveTier, friends, counters, tenants } = view;
  print(
    `Lends ${formatBytes(capacityBytes)} to ${serveTier === 'nobody' ? 'friends' : `friends and tier ${serveTier}`}: ${formatBytes(promisedBytes)} promised, ${formatBytes(usedBytes)} used (${plain(view.folder)})`,
  );
  print(
    `Since its start: ${formatCount(counters.answered)} calls answered, ${formatCount(counters.refused)} refused, ${formatBytes(counters.bytesIn)} in, ${formatBytes(counters.bytesOut)} out`,
  );
  if (tenants.length === 0) {
    tellNobody(serveTier, friends);
    return;
  }
  print(
    table(
      [
        ['OWNER', 'LABEL', 'STATE', 'USED', 'OF', 'BLOCKS', 'UNTIL'],
        ...tenants.map(
          ({ owner, label, state, damaged, usedBytes: used, quotaBytes, blocks, until, deletedAt }) => [
            owner,
            label,
            damaged
              ? paint('red', 'damaged')
              : state === 'open'
                ? 'open'
                : paint('yellow', `goes ${day(deletedAt)}`),
            formatBytes(used),
            formatBytes(quotaBytes),
            formatCount(blocks),
            day(until),
          ],
        ),
      ],
      [3, 4, 5],
    ),
  );
}

/** The path of a tenant, whose owner may be named by an ending or as `did:key`, and its label by how it begins. */
async function tenantPath(node: NodeClient, owner: string, label: string): Promise<string> {
  const pathOf = (peer: string, full: string) => `/kith/v1/storage/tenants/${peer}/${full}`;
  const peer = fullPeer(owner);
  if (peer !== null && WHOLE_LABEL.test(label)) return pathOf(peer, label);
  const { tenants } = await node.call<StorageView>('GET', '/kith/v1/storage');
  const owners = tenants.map((tenant) => ({ peer: tenant.owner, operator: null }));
  const whose = peerAmong(owner, owners, 'the owners of tenants here');
  const theirs = tenants.filter((tenant) => tenant.owner === whose).map((tenant) => tenant.label);
  const found = theirs.filter((one) => one.startsWith(label));
  if (found.length === 1) return pathOf(whose, found[0]!);
  throw new UsageError(
    `${peerShown(whose)} has ${found.length === 0 ? 'no tenant' : `${found.length} tenants`} whose label begins with '${label}'${theirs.length === 0 ? '.' : `; theirs: ${theirs.slice(0, 16).join(', ')}`}`,
  );
}

export const backup: Handler = async ({ args, options }) => {
  const [owner, label, file] = args.map(String) as [string, string, string];
  const node = await runningNode(options);
  const path = `${await tenantPath(node, owner, label)}/backup`;
  const made = await node.call<{ file: string; bytes: number }>('POST', path, {
    body: { file: resolve(file) },
  });
  if (options.json) printJson(made);
  else print(`${plain(made.file)}: a copy of the tenant, ${formatBytes(made.bytes)}`);
};

export const restore: Handler = async ({ args, options }) => {
  const [owner, label, file] = args.map(String) as [string, string, string];
  if (options.yes !== true)
    throw new UsageError('What its owner kept there since the backup is lost for good. Say so with --yes.');
  const node = await runningNode(options);
  const path = await tenantPath(node, owner, label);
  await node.call('POST', `${path}/restore`, { body: { file: resolve(file) } });
  say(
    'The tenant is as it was when the backup was made. Its owner brings it up to date with kith vpk upload.',
  );
};

export const destroy: Handler = async (invocation) => {
  const { args, options } = invocation;
  const [owner, label] = args;
  if (owner === undefined) return disable(invocation);
  if (label === undefined)
    throw new UsageError('Name the tenant by its owner and its label: kith storage status --json');
  if (options.yes !== true)
    throw new UsageError('What its owner keeps in it is lost for good. Say so with --yes.');
  const node = await runningNode(options);
  await node.call('DELETE', await tenantPath(node, String(owner), String(label)));
  say('The tenant is deleted.');
  return exitCode.ok;
};
