/**
 * What `kith doctor` looks at. Each check says what it found and what to do about it.
 *
 * @module cli/checks
 */
import { constants } from 'node:fs';
import { access, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, homedir, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type Config,
  formatBytes,
  freeBytes,
  InputError,
  isKithError,
  messageOf,
  type ResolvedConfig,
  systemClock,
  systemRandom,
} from '../base/index.ts';
import type { ModelEntry } from '../models/index.ts';
import { findNode, openRooms, type RunningNode, readRunFile, tlsFiles } from '../node/index.ts';
import { isLoopback, openKeyStore } from '../server/index.ts';
import { createClient } from './client.ts';
import { asTyped } from './output.ts';
import { quietLog } from './quiet-log.ts';
import { settingsOf } from './settings.ts';
import { version } from './version.ts';

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do; null when there is nothing to do. */
  readonly remedy: string | null;
}

type Verdict = Omit<Finding, 'name'>;

const ok = (message: string): Verdict => ({ status: 'ok', message, remedy: null });
const warn = (message: string, remedy: string): Verdict => ({ status: 'warn', message, remedy });
const fail = (message: string, remedy: string): Verdict => ({ status: 'fail', message, remedy });

/** Below this much free disk the logs and the store are in danger. */
const diskWarnBytes = 2_000_000_000;
const diskFailBytes = 200_000_000;

/** A clock before this package was made is wrong: certificates and records would be refused. */
const clockFloor = Date.UTC(2026, 0, 1);
const clockCeiling = Date.UTC(2100, 0, 1);

/** Runs every check; one that throws is a finding itself, never the end of the others. */
export async function runChecks(
  options: Readonly<Record<string, unknown>>,
  full: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const check = async (name: string, look: () => Promise<Verdict> | Verdict, remedy: string) => {
    let verdict: Verdict;
    try {
      verdict = await look();
    } catch (error) {
      if (signal.aborted) throw error;
      verdict = fail(messageOf(error), remedy);
    }
    findings.push({
      name,
      ...verdict,
      message: asTyped(verdict.message),
      remedy: verdict.remedy === null ? null : asTyped(verdict.remedy),
    });
  };

  await check('runtime', checkRuntime, 'Install Node 24 from https://nodejs.org.');
  await check('clock', checkClock, "Set this machine's clock.");
  let resolved: ResolvedConfig | null = null;
  await check(
    'config',
    () => {
      resolved = settingsOf(options);
      checkAccess(resolved.config);
      return ok(`${resolved.file} and the environment are valid`);
    },
    'Correct or remove what is named; `kith config keys` says what is allowed.',
  );
  // Without a valid configuration the defaults say where to look.
  const config: Config = (resolved as ResolvedConfig | null)?.config ?? defaultsFor(options);
  await check(
    'home',
    () => checkHome(config.home),
    'Make the folder writable for this user, or choose another one with --home.',
  );
  await check('disk', () => checkDisk(config.home), 'Free some space, or move the node with --home.');
  let node: RunningNode = { state: 'down' };
  await check(
    'node',
    async () => {
      node = await findNode(config.home);
      return await checkNode(config.home, node);
    },
    `Stop it with \`kith stop\` and start it again.`,
  );
  if ((node as RunningNode).state === 'running')
    await check(
      'alerts',
      () => checkAlerts(node),
      'Look at `kith logs`, then stop the node and start it again.',
    );
  await check('port', () => checkPort(config, node), `Choose another port: kith config set server.port N`);
  await checkRooms(config, full, signal, check);
  return findings;
}

type Check = (name: string, look: () => Promise<Verdict> | Verdict, remedy: string) => Promise<void>;

async function checkRooms(config: Config, full: boolean, signal: AbortSignal, check: Check): Promise<void> {
  await using rooms = await openRooms(config, quietLog());
  await check(
    'engine',
    async () => {
      const devices = await rooms.engine.devices(signal);
      const [first] = devices.skipped;
      const what = `llama.cpp libraries ${devices.release} load; computing on ${devices.active}`;
      return first
        ? warn(
            `${what}; ${first.path} does not: ${first.reason}`,
            'Install the GPU driver, or remove the package from <home>/engine/backends.',
          )
        : ok(what);
    },
    'Run `npm ci` again, without --omit=optional.',
  );
  for (const [task, id] of [
    ['chat model', config.models.default],
    ['embedding model', config.models.embedding],
  ] as const) {
    let entry: ModelEntry | null = null;
    await check(
      task,
      async () => {
        entry = await rooms.store.get(id);
        return await checkModel(rooms.store, entry, full, signal);
      },
      `Get it with: kith models pull ${id}`,
    );
    if (task === 'chat model' && entry !== null) {
      const { bytes } = (entry as ModelEntry).manifest;
      await check('memory', () => checkMemory(id, bytes), 'Choose a smaller model.');
    }
  }
  let others: ModelEntry[] = [];
  await check(
    'model store',
    async () => {
      const all = await rooms.store.list();
      const defaults = [config.models.default, config.models.embedding];
      const ready = all.filter(({ state }) => state === 'ready');
      others = ready.filter(({ manifest }) => !defaults.includes(manifest.id));
      return ok(`${ready.length} of ${all.length} known models are on this disk`);
    },
    'Make <home>/models readable for this user.',
  );
  for (const entry of others) {
    await check(
      `model ${entry.manifest.id}`,
      () => checkModel(rooms.store, entry, full, signal),
      'Remove it, or get it again.',
    );
  }
}

/** What the node would refuse to start with. */
function checkAccess(config: Config): void {
  const { host } = config.server;
  tlsFiles(config);
  if (isLoopback(host)) return;
  using keys = openKeyStore(config.home, { clock: systemClock, random: systemRandom });
  if (keys.usable() === 0) {
    throw new InputError(
      'host_not_loopback',
      `server.host is ${host} and there is no usable key: make one with \`kith keys create\``,
    );
  }
}

function checkRuntime(): Verdict {
  return ok(`Node ${process.versions.node} on ${process.platform}-${process.arch}, Kith ${version}`);
}

function checkClock(): Verdict {
  const now = systemClock.now();
  const shown = new Date(now).toISOString();
  return now > clockFloor && now < clockCeiling
    ? ok(shown)
    : fail(`The clock says ${shown}.`, "Set this machine's clock, best by NTP.");
}

async function checkHome(home: string): Promise<Verdict> {
  await mkdir(home, { recursive: true });
  await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
  // Read-only mounts and quotas show only when something is written.
  const probe = join(home, `.doctor-${process.pid}`);
  await writeFile(probe, 'x');
  await rm(probe);
  const mode = (await stat(home)).mode & 0o777;
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    return warn(`${home} can be written by other users (mode ${mode.toString(8)}).`, `chmod go-w ${home}`);
  }
  return ok(`${home} is writable`);
}

async function checkDisk(home: string): Promise<Verdict> {
  const free = await freeBytes(home);
  const message = `${formatBytes(free)} free at ${home}`;
  if (free < diskFailBytes) return fail(message, 'Free some space, or move the node with --home.');
  if (free < diskWarnBytes) return warn(message, 'Models take hundreds of megabytes each: free some space.');
  return ok(message);
}

async function checkNode(home: string, node: RunningNode): Promise<Verdict> {
  if (node.state === 'down') {
    const stale = await readRunFile(home);
    return stale
      ? warn(
          `No node runs; process ${stale.pid} ended without cleaning up.`,
          `Nothing is lost. \`kith start\` puts it right.`,
        )
      : ok('no node runs on this home');
  }
  if (node.state === 'changing')
    return warn(`Process ${node.pid} is starting or stopping.`, 'Look again in a moment.');
  const status = await createClient(node.run)
    .status(AbortSignal.timeout(5_000))
    .catch((error: unknown) => {
      if (isKithError(error) && error.code === 'aborted') return null;
      throw error;
    });
  if (status === null)
    return warn(`Process ${node.run.pid} has not answered for 5 s.`, 'Look at `kith logs`, then stop it.');
  if (status.state === 'degraded') return warn(status.message ?? 'degraded', `Look at \`kith logs\`.`);
  if (status.version !== version)
    return warn(`The running node is version ${status.version}, this is ${version}.`, 'Restart the node.');
  return ok(`${status.state} at ${status.url} (process ${status.pid})`);
}

async function checkAlerts(node: RunningNode): Promise<Verdict> {
  if (node.state !== 'running') return ok('no node runs');
  const { alerts } = await createClient(node.run).metrics(AbortSignal.timeout(5_000));
  const worst = alerts.firing[0];
  if (worst === undefined) return ok('no alert fires');
  const more = alerts.firing.length > 1 ? ` (and ${alerts.firing.length - 1} more)` : '';
  const verdict = worst.severity === 'critical' ? fail : warn;
  return worst.severity === 'info'
    ? ok(`${worst.message}${more}`)
    : verdict(`${worst.message}${more}`, 'Look at `kith status` for all of them.');
}

async function checkPort(config: Config, node: RunningNode): Promise<Verdict> {
  const { host, port } = config.server;
  if (node.state === 'running' && (port === 0 || node.run.port === port))
    return ok(`${node.run.port} is this node's`);
  if (port === 0) return ok('any free port');
  try {
    await tryPort(host, port);
    return ok(`${port} is free`);
  } catch (error) {
    const remedy = `Stop what uses it, or choose another port: kith config set server.port N`;
    return fail(
      (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? `Port ${port} is taken by another program.`
        : `Port ${port} on ${host} cannot be used: ${messageOf(error)}`,
      remedy,
    );
  }
}

function tryPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

async function checkModel(
  store: { verify(id: string, options: { signal: AbortSignal }): Promise<ModelEntry> },
  { manifest, state, verifiedAt }: ModelEntry,
  full: boolean,
  signal: AbortSignal,
): Promise<Verdict> {
  const { id } = manifest;
  if (state === 'partial')
    return warn(`The download of ${id} is not complete.`, `Go on with: kith models pull ${id}`);
  if (state === 'available') return ok(`${id} is placed at the first use`);
  // A file that is as it was when its hash was right is not read again, unless asked.
  if (!full && verifiedAt !== null)
    return ok(`${id} is as it was when its sha256 was right (${new Date(verifiedAt).toISOString()})`);
  try {
    await store.verify(id, { signal });
    return ok(`${id}: the sha256 is right`);
  } catch (error) {
    if (!isKithError(error) || error.code !== 'model_corrupt') throw error;
    const { path, why, remedy } = error.details;
    return fail(`${id} is damaged: ${path}: ${why}`, String(remedy));
  }
}

/** Weights and as much again for KV and work buffers in the worst case; a third is the usual. */
function checkMemory(id: string, bytes: number): Verdict {
  const need = Math.round(bytes * 1.33);
  const free = freemem();
  const message = `${id} needs about ${formatBytes(need)}; ${formatBytes(free)} of ${formatBytes(totalmem())} are free`;
  if (need > totalmem())
    return fail(
      message,
      'This machine is too small for the model: choose a smaller one with `kith config set models.default ID`.',
    );
  return need > free ? warn(message, 'End other programs, or choose a smaller model.') : ok(message);
}

/** The defaults with this command's home: enough to go on checking when the configuration is broken. */
function defaultsFor(options: Readonly<Record<string, unknown>>): Config {
  // An empty environment and a home that is not there give the defaults, whatever is wrong.
  const { config } = settingsOf({ home: join(tmpdir(), `kith-none-${process.pid}`) }, {});
  const home = typeof options.home === 'string' ? options.home : process.env.KITH_HOME;
  return { ...config, home: resolve(home ?? join(homedir(), '.kith')) };
}
