/**
 * Peers that serve blocks of a model and announce them: a real swarm each, one engine for all of them.
 *
 * @module test/shards/lending
 */
import { KithError, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine } from '../../src/engine/index.ts';
import { openWorkBook, serveShards, type WorkBook } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { type Member, startMember } from '../swarm/members.ts';

export interface Lender extends Member {
  /** Methods by which others asked it, each once. */
  readonly asked: ReadonlySet<string>;
  /** What it computed for whom. */
  readonly work: WorkBook;
  /** Says anew what it serves: who has just come may have missed it. */
  announce(): void;
  /** No session is let in from now on, but told to come back in so many seconds; null: all are. */
  refuse(retryAfter: number | null): void;
}

/** What a lender claims of itself. */
interface LenderClaims {
  /** @default 4096 */
  readonly cells?: number;
  /** Through all its blocks. @default 100 */
  readonly tokensPerSecond?: number;
}

export interface Lending extends AsyncDisposable {
  lend(number: number, from: number, to: number, says?: LenderClaims): Promise<Lender>;
}

/** @param path of the GGUF @param hash its SHA-256, hex */
export async function lendingOf(path: string, hash: string): Promise<Lending> {
  const engine: Engine = createEngine({
    threads: 1,
    device: 'cpu',
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
  });
  const members: Member[] = [];
  return {
    async lend(number, from, to, { cells = 4096, tokensPerSecond = 100 } = {}) {
      const id = `blocks ${from}-${to}`;
      const { embedding: width } = await engine.load({
        id,
        path,
        range: { from, to, embed: false, head: false },
      });
      const member = await startMember(number, { gate: { tierOf: () => 'trusted' } });
      members.push(member);
      // In a thread, as a node's.
      const swarm = member.swarm as Swarm;
      const asked = new Set<string>();
      const work = openWorkBook({
        ...{ path: ':memory:', identity: member.identity, clock: systemClock, random: systemRandom },
        log: silentLogger,
      });
      let wait: number | null = null;
      serveShards({
        swarm: {
          learn: (...given) => swarm.learn(...given),
          ping: (...given) => swarm.ping(...given),
          openSession: (...given) => swarm.openSession(...given),
          handle(method, handler) {
            if (!('session' in handler)) return swarm.handle(method, handler);
            return swarm.handle(method, {
              ...handler,
              session(session) {
                asked.add(method);
                return handler.session(session);
              },
            });
          },
        },
        engine,
        work,
        shards: () => [{ model: hash, from, to, id, width }],
        admit() {
          if (wait === null) return undefined;
          throw new KithError('shard_busy', 'It has no room now.', { status: 503, retryAfter: wait });
        },
        log: silentLogger,
      });
      let said = 0;
      const announce = () =>
        member.discovery.offer([
          {
            model: { hash, quant: 'F16' },
            blocks: [[from, to]],
            tokensPerSecond,
            latencyMs: 1,
            // What changed is told at once.
            freeCacheTokens: cells + ++said,
            maxBatch: 8,
            protocols: ['/kith/shard/1'],
            relayed: false,
            addrs: swarm.addresses,
            regions: ['here'],
            serves: ['blocks'],
            trust: [],
            state: 'online',
          },
        ]);
      announce();
      return Object.assign(member, {
        announce,
        ...{ asked, work },
        refuse(retryAfter: number | null) {
          wait = retryAfter;
        },
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
      await engine[Symbol.asyncDispose]();
    },
  };
}
