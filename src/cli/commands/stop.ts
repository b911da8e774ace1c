/** `kith stop`. @module cli/commands/stop */
import { type Clock, isKithError, KithError, systemClock } from '../../base/index.ts';
import { findNode } from '../../node/index.ts';
import { createClient } from '../client.ts';
import { print, printJson } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

/** A node ends within 5 s of being asked. */
const patienceMs = 8_000;

const run: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  const found = await findNode(home);
  if (found.state === 'down') {
    if (options.json) printJson({ stopped: false, running: false });
    else print('No node is running.');
    return;
  }
  const pid = found.state === 'running' ? found.run.pid : found.pid;
  if (found.state === 'running') {
    await createClient(found.run)
      .shutdown()
      .catch((error: unknown) => {
        // It holds the lock, so the process is the node even when its HTTP side does not answer.
        if (!isKithError(error) || error.code !== 'node_unreachable') throw error;
        process.kill(pid, 'SIGTERM');
      });
  } else process.kill(pid, 'SIGTERM');
  await untilDown(home, pid, systemClock);
  if (options.json) printJson({ stopped: true, pid });
  else print(`The node (process ${pid}) has stopped.`);
};
export default run;

async function untilDown(home: string, pid: number, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + patienceMs;
  while ((await findNode(home)).state !== 'down') {
    if (clock.monotonic() > deadline) {
      throw new KithError(
        'stop_failed',
        `The node (process ${pid}) did not stop within ${patienceMs / 1000} s. End it with: kill -9 ${pid}`,
      );
    }
    await clock.sleep(50);
  }
}
