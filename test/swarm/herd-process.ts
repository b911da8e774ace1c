/**
 * A process of a herd: members of a swarm that share its thread and do as they are told over IPC (herd.ts). It ends with
 * the process that started it.
 *
 * @module test/swarm/herd-process
 */
import { systemClock } from '../../src/base/index.ts';
import { type BlockRange, findPeers } from '../../src/swarm/index.ts';
import { SNAPSHOT_METHOD } from '../../src/swarm/registry/snapshot.ts';
import { createDirect } from './direct.ts';
import { type Member, MODEL, offerOf, startMember, views } from './members.ts';

const members = new Map<number, Member>();
/** Monotonic ms at which a member heard of a region, by region. */
const heard = new Map<string, Map<number, number>>();
let onHeard = () => {};

/** Ms on a clock that all processes of the machine share. */
export const sharedMs = () => Number(process.hrtime.bigint()) / 1e6;
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const each = <T>(take: (member: Member) => T) => [...members.values()].map(take);

export const orders = {
  async start(numbers: readonly number[]) {
    for (const number of numbers) {
      const member = await startMember(number, {}, createDirect);
      members.set(number, member);
      member.registry.watch(({ regions: [region] }) => {
        if (region === undefined) return;
        const times = heard.get(region) ?? new Map<number, number>();
        heard.set(region, times);
        if (!times.has(number)) times.set(number, sharedMs());
        onHeard();
      });
    }
    return each(({ peer, swarm }) => ({ peer, address: swarm.addresses[0]! }));
  },
  /** On a machine that is busy with all these nodes a handshake may take longer than a node waits. */
  async dial(number: number, address: string) {
    for (let attempt = 1; ; attempt++) {
      try {
        await members.get(number)!.swarm.dial(address, { deadlineMs: 30_000 });
        return null;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  },
  /** Resolves to the time at which it was offered. */
  offer(number: number, blocks: BlockRange, region: string) {
    const start = sharedMs();
    members.get(number)!.discovery.offer([offerOf({ blocks: [blocks], regions: [region] })]);
    return start;
  },
  /** When each member heard of a region; those that did not within `ms` are missing. */
  async heard(region: string, ms: number) {
    const end = sharedMs() + ms;
    while ((heard.get(region)?.size ?? 0) < members.size && sharedMs() < end)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, end - sharedMs()));
        onHeard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    return [...(heard.get(region) ?? [])];
  },
  /** How many of the peers each member knows to serve. */
  known: (peers: readonly string[]) =>
    each(({ registry }) => peers.filter((peer) => registry.get(peer, MODEL)?.state === 'online').length),
  numbersOf: (peer: string) => each(({ registry }) => registry.get(peer, MODEL)?.seq ?? 0),
  refused: () => each(({ registry }) => registry.refused),
  /** Ms that it took. */
  async provide(number: number, key: string) {
    const start = sharedMs();
    await members.get(number)!.swarm.provide(bytesOf(key));
    return sharedMs() - start;
  },
  /** Ms to the first provider and to the end of the walk, and who was found. */
  async find(number: number, key: string) {
    const start = sharedMs();
    let firstMs = Number.NaN;
    const peers: string[] = [];
    for await (const { peer } of members.get(number)!.swarm.findProviders(bytesOf(key))) {
      if (peers.length === 0) firstMs = sharedMs() - start;
      peers.push(peer);
    }
    return { firstMs, allMs: sharedMs() - start, peers };
  },
  /** Looks for who serves the blocks, and asks one after the other until one answers. */
  async lookup(number: number, blocks: BlockRange) {
    const { registry, swarm } = members.get(number)!;
    const start = sharedMs();
    const wanted = { model: MODEL, serves: 'blocks', blocks } as const;
    let asked = 0;
    for (const { peer } of findPeers(registry, wanted, views, systemClock.now()).candidates) {
      asked++;
      const call = swarm.call(peer, SNAPSHOT_METHOD, { v: 1, limit: 1 }, undefined, { deadlineMs: 5000 });
      if ((await call.catch(() => null)) !== null) return { peer, asked, ms: sharedMs() - start };
    }
    return { peer: null, asked, ms: sharedMs() - start };
  },
  /** Refusal of each member of a record that a neighbour passes on, null where it is believed. */
  judge: (record: string, author: string, sender: string) =>
    each(({ registry }) => {
      const offered = registry.offer(bytesOf(record), { author, sender });
      return offered.ok ? null : offered.refusal;
    }),
  async usage() {
    const { user, system } = process.cpuUsage();
    return {
      atMs: sharedMs(),
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      links: (await Promise.all(each(({ swarm }) => swarm.links()))).map(({ length }) => length),
      counters: each(({ swarm }) => swarm.counters()),
    };
  },
};

if (process.send !== undefined && process.argv[1]?.includes('herd-process')) {
  process.on('disconnect', () => process.exit());
  process.on(
    'message',
    async ({ n, order, args }: { n: number; order: keyof typeof orders; args: never[] }) => {
      try {
        const run = orders[order] as (...given: never[]) => unknown;
        process.send!({ n, value: await run(...args) });
      } catch (error) {
        process.send!({ n, error: String(error) });
      }
    },
  );
}
