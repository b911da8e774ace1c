/**
 * The node's part in a Hivemind DHT, where its owner names nodes of one: what it finds there as JSON, and what it tells of
 * itself.
 *
 * @module node/hivemind
 */
import {
  type Clock,
  type Config,
  KithError,
  type Logger,
  messageOf,
  oneAtATime,
  type Random,
  toHex,
} from '../base/index.ts';
import type {
  HivemindAnnounced,
  HivemindClaimView,
  HivemindDesk,
  HivemindFindView,
  HivemindView,
} from '../server/index.ts';
import { type Hivemind, type HivemindClaim, openHivemind, type Swarm, toJson } from '../swarm/index.ts';
import {
  ANNOUNCE_JITTER_MS,
  ANNOUNCE_KEY,
  ANNOUNCE_MS,
  ANNOUNCE_TTL_S,
  nodeRecord,
  type ToldModel,
} from './hivemind-record.ts';

export interface NodeHivemindOptions {
  readonly config: Config;
  readonly swarm: Swarm;
  /** Models that peers are served. */
  readonly models: () => Promise<readonly ToldModel[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What failed is tried again after this long, ms. */
const RETRY_MS = 60_000;
/** Time to say farewell, ms. */
const FAREWELL_MS = 1_500;
/** Longer values are not shown. */
const SHOWN_BYTES = 64 * 1024;
const RAW_BYTES = 64;

const OFF = new KithError(
  'hivemind_off',
  'This node knows no node of a Hivemind DHT. Name one by kith config set swarm.hivemindBootstrap ADDRESS, and start the node again.',
  { status: 409, param: 'swarm.hivemindBootstrap' },
);
const SILENT = new KithError(
  'hivemind_silent',
  'This node tells a Hivemind DHT nothing of itself. Say that it may with kith config set swarm.hivemindAnnounce true, and start the node again.',
  { status: 409, param: 'swarm.hivemindAnnounce' },
);

/** Does nothing but say so where no node of a DHT is named. */
export async function openNodeHivemind(
  options: NodeHivemindOptions,
): Promise<HivemindDesk & AsyncDisposable> {
  const { config, swarm, clock, random, log } = options;
  const { hivemindBootstrap: bootstrap, hivemindServe, hivemindAnnounce, network } = config.swarm;
  if (bootstrap.length === 0)
    return {
      view: async () => ({
        on: false,
        node: null,
        bootstrap,
        contacts: [],
        kept: null,
        clockOffsetMs: null,
        announcing: null,
      }),
      find: () => Promise.reject(OFF),
      announce: () => Promise.reject(OFF),
      [Symbol.asyncDispose]: async () => {},
    };
  const dht = await openHivemind({
    network: swarm,
    self: swarm.peer,
    bootstrap,
    serve: hivemindServe,
    lan: network === 'lan',
    clock,
    random,
    log,
  });
  const announcer = hivemindAnnounce ? startAnnouncer(dht, options) : null;
  return {
    async view(): Promise<HivemindView> {
      const { node, contacts, kept, clockOffset } = dht.state();
      return {
        on: true,
        node,
        bootstrap,
        contacts,
        kept,
        clockOffsetMs: clockOffset === null ? null : Math.round(clockOffset * 1000),
        announcing: announcer?.last() ?? null,
      };
    },
    async find({ key, subkey, limit }, signal): Promise<HivemindFindView> {
      const { regular, entries, asked, answered } = await dht.find(key, { signal });
      const fitting = subkey === null ? entries : entries.filter((entry) => entry.subkey === subkey);
      return {
        key,
        claim: regular === null || subkey !== null ? null : claimView(regular),
        entries: fitting
          .slice(0, limit)
          .map((entry) => ({ subkey: toJson(entry.subkey), ...claimView(entry) })),
        more: Math.max(0, fitting.length - limit),
        asked,
        answered,
      };
    },
    announce: async (signal) => {
      if (announcer === null) throw SILENT;
      return announcer.now(signal);
    },
    async [Symbol.asyncDispose]() {
      await announcer?.[Symbol.asyncDispose]();
      await dht[Symbol.asyncDispose]();
    },
  };
}

function claimView({ value, bytes, expiration }: HivemindClaim): HivemindClaimView {
  const shown = value !== undefined && bytes.length <= SHOWN_BYTES;
  return {
    value: shown ? toJson(value) : null,
    raw: shown ? null : `0x${toHex(bytes.subarray(0, RAW_BYTES))}`,
    bytes: bytes.length,
    // A moment beyond all clocks is what a stranger may claim.
    expiresAt: Math.min(Math.round(expiration * 1000), Number.MAX_SAFE_INTEGER),
  };
}

interface Announcer extends AsyncDisposable {
  last(): HivemindAnnounced;
  now(signal?: AbortSignal): Promise<HivemindAnnounced>;
}

/** Says now and again which models this node serves, and at the end that it is gone. */
function startAnnouncer(
  dht: Pick<Hivemind, 'store'>,
  { config, swarm, models, clock, random, log }: NodeHivemindOptions,
): Announcer {
  const subkey = swarm.peer;
  const ending = new AbortController();
  let last: HivemindAnnounced = {
    key: ANNOUNCE_KEY,
    subkey,
    models: [],
    at: null,
    expiresAt: null,
    stored: 0,
    refused: 0,
    failed: 0,
    message: 'It has not been told yet.',
  };
  /** Seconds; each is later than the one before, or nodes refuse it. */
  let expiration = 0;

  async function tell(state: 'online' | 'offline', told: readonly ToldModel[], signal?: AbortSignal) {
    expiration = Math.max(clock.now() / 1000 + ANNOUNCE_TTL_S, expiration + 0.001);
    const relayed =
      swarm.addresses.length > 0 && swarm.addresses.every((one) => one.includes('/p2p-circuit'));
    const value = nodeRecord({ peer: subkey, state, name: config.swarm.hivemindName, relayed, models: told });
    return dht.store(
      { key: ANNOUNCE_KEY, subkey, value, expiration },
      signal === undefined ? {} : { signal },
    );
  }

  async function once(signal?: AbortSignal): Promise<HivemindAnnounced> {
    const told = await models();
    const ids = told.map(({ id }) => id);
    if (told.length === 0) {
      last = { ...last, models: ids, message: 'No model is served to peers: see swarm.serveModels.' };
      return last;
    }
    const counts = await tell('online', told, signal);
    last = {
      ...last,
      ...counts,
      models: ids,
      ...(counts.stored > 0 && { at: clock.now(), expiresAt: Math.round(expiration * 1000) }),
      message:
        counts.stored > 0
          ? null
          : counts.refused > 0
            ? 'The nodes there have a record of this node that expires later. Is the clock right?'
            : 'No node took it.',
    };
    return last;
  }

  // One at a time, so that a command and the clock do not outrun each other.
  const inTurn = oneAtATime();
  const now = (signal?: AbortSignal): Promise<HivemindAnnounced> => inTurn(() => once(signal));
  const going = (async () => {
    while (!ending.signal.aborted) {
      let pause = ANNOUNCE_MS + (2 * random.float() - 1) * ANNOUNCE_JITTER_MS;
      try {
        const { message } = await now(ending.signal);
        if (message !== null) pause = RETRY_MS;
      } catch (error) {
        if (ending.signal.aborted) break;
        pause = RETRY_MS;
        last = { ...last, message: messageOf(error) };
        log.warn('the Hivemind DHT was told nothing', { err: messageOf(error) });
      }
      await clock.sleep(pause, ending.signal).catch(() => {});
    }
  })();

  return {
    last: () => last,
    now,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await going;
      await inTurn(() => {});
      // A record cannot be taken back: one that says otherwise takes its place.
      if (last.at !== null) await tell('offline', [], AbortSignal.timeout(FAREWELL_MS)).catch(() => {});
    },
  };
}
