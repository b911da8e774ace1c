/**
 * Checks of this machine: runtime, clock, home, disk, port, memory.
 *
 * @module cli/checks/machine
 */
import { constants } from 'node:fs';
import { access, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Config, formatBytes, freeBytes, makeFolder, messageOf, systemClock } from '../../base/index.ts';
import type { RunningNode } from '../../node/index.ts';
import { version } from '../version.ts';
import { fail, ok, type Verdict, warn } from './finding.ts';

/** Below this much free disk the logs and the store are in danger. */
const diskWarnBytes = 2_000_000_000;
const diskFailBytes = 200_000_000;

/** A clock before this package was made is wrong: certificates and records would be refused. */
const clockFloor = Date.UTC(2026, 0, 1);
const clockCeiling = Date.UTC(2100, 0, 1);

export function checkRuntime(): Verdict {
  return ok(`Node ${process.versions.node} on ${process.platform}-${process.arch}, Kith ${version}`);
}

export function checkClock(): Verdict {
  const now = systemClock.now();
  const shown = new Date(now).toISOString();
  return now > clockFloor && now < clockCeiling
    ? ok(shown)
    : fail(`The clock says ${shown}.`, "Set this machine's clock, best by NTP.");
}

export async function checkHome(home: string): Promise<Verdict> {
  await makeFolder(home);
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

/** A folder that the owner chose for knowledge bases is left as it is: only they know who else is to see it. */
export async function checkKnowledge(folder: string): Promise<Verdict> {
  const facts = await stat(folder).catch(() => null);
  if (facts === null) return ok('there are no knowledge bases yet');
  if (!facts.isDirectory())
    return fail(`${folder} is no folder.`, 'Choose one: kith config set knowledge.folder FOLDER');
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const mode = facts.mode & 0o777;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    return warn(
      `${folder}, where knowledge bases are kept, is open to other users (mode ${mode.toString(8)}): they see what is there, though the files are yours alone.`,
      `chmod 700 '${folder}'`,
    );
  return ok(`${folder} is for you alone`);
}

export async function checkDisk(home: string): Promise<Verdict> {
  const free = await freeBytes(home);
  const message = `${formatBytes(free)} free at ${home}`;
  if (free < diskFailBytes) return fail(message, 'Free some space, or move the node with --home.');
  if (free < diskWarnBytes) return warn(message, 'Models take hundreds of megabytes each: free some space.');
  return ok(message);
}

export async function checkPort(config: Config, node: RunningNode): Promise<Verdict> {
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

/** Weights and as much again for KV and work buffers in the worst case; a third is the usual. */
export function checkMemory(id: string, bytes: number): Verdict {
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
