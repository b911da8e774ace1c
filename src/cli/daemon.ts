/**
 * Starts the node as a process of its own and waits until it answers.
 *
 * @module cli/daemon
 */
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CONFIG_KEYS,
  type Config,
  flagName,
  KithError,
  type ResolvedConfig,
  systemClock,
} from '../base/index.ts';
import { readKey } from '../identity/index.ts';
import { findNode } from '../node/index.ts';
import { exitCode } from './failure.ts';
import { asTyped, print, printJson } from './output.ts';
import { askPassphrase } from './passphrase.ts';
import { optionName } from './settings.ts';

/** Listening comes before loading, so this is generous. */
const patienceMs = 30_000;

/** @param quiet says nothing when it is up */
export async function startDaemon(
  { config }: ResolvedConfig,
  options: Readonly<Record<string, unknown>>,
  quiet = false,
): Promise<number> {
  const logs = join(config.home, 'logs');
  await mkdir(logs, { recursive: true });
  const path = join(logs, 'daemon.log');
  const flags = CONFIG_KEYS.flatMap((key) => {
    const value = options[optionName(key)];
    return value === undefined ? [] : [`${flagName(key)}=${value}`];
  });
  const passphrase = await passphraseOf(config, options);
  const fromStdin = passphrase === null ? [] : ['--passphrase-fd=0'];
  await using output = await open(path, 'w', 0o600);
  const command = [...process.execArgv, process.argv[1]!, 'start', ...flags, ...fromStdin];
  const child = spawn(process.execPath, command, {
    detached: true,
    stdio: [passphrase === null ? 'ignore' : 'pipe', output.fd, output.fd],
    windowsHide: true,
  });
  // A child that ended already says by itself why.
  child.stdin?.on('error', () => {});
  child.stdin?.end(`${passphrase}\n`);
  let ended: number | null = null;
  child.on('exit', (code) => {
    ended = code ?? 1;
  });
  const spawned = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  await spawned;
  const deadline = systemClock.monotonic() + patienceMs;
  for (;;) {
    const found = await findNode(config.home);
    if (found.state === 'running' && found.run.pid === child.pid) {
      child.unref();
      const { url, pid, port } = found.run;
      if (quiet) return exitCode.ok;
      if (options.json) printJson({ event: 'up', url, port, pid, home: config.home });
      else print(asTyped(`Kith runs in the background at ${url} (process ${pid}). Stop it with: kith stop`));
      return exitCode.ok;
    }
    if (ended !== null) {
      const text = await said(path);
      throw new KithError(
        'start_failed',
        text.replace(/^error: /, '') || `The node ended with code ${ended}.`,
      );
    }
    if (systemClock.monotonic() > deadline) {
      child.kill();
      throw new KithError(
        'start_failed',
        `The node did not come up within ${patienceMs / 1000} s; ${path} says more.`,
      );
    }
    await systemClock.sleep(50);
  }
}

/** Asked here, since the child has neither this terminal nor these descriptors; null when the key has none. */
async function passphraseOf(
  config: Config,
  options: Readonly<Record<string, unknown>>,
): Promise<string | null> {
  const key = await readKey(config.home);
  return key?.isProtected === true ? askPassphrase(options, config)() : null;
}

/** What the child said before it ended. */
async function said(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const text = await file.readFile('utf8');
  // Log lines are JSON or begin with a time; what was said to the user does not.
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(\{|\d\d:\d\d:\d\d\.\d{3} )/.test(line))
    .join('\n')
    .trim();
}
