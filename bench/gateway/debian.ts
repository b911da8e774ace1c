/**
 * nginx and wrk, which the gateway's benchmark measures against and with. On Debian they are installed where they are
 * missing and allowed to.
 *
 * @module bench/gateway/debian
 */
import { spawnSync } from 'node:child_process';

const packages = ['nginx', 'wrk'] as const;

function has(program: string): boolean {
  return spawnSync('which', [program], { stdio: 'ignore' }).status === 0;
}

/** Throws when a program is missing and cannot be installed. */
export function provideTools(): void {
  if (!has('taskset'))
    throw new Error('This benchmark pins processes to cores and needs Linux with taskset.');
  const missing = packages.filter((program) => !has(program));
  if (missing.length === 0) return;
  const root = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  console.log(`Installing ${missing.join(' and ')} (apt-get install ${missing.join(' ')}) ...`);
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
    const [program, ...rest] = [...root, 'apt-get', '-q', ...args];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    if (spawnSync(program!, rest, { stdio: 'ignore', env }).status !== 0) break;
  }
  const still = packages.filter((program) => !has(program));
  if (still.length > 0)
    throw new Error(`${still.join(' and ')} could not be installed. Install them by hand.`);
}
