/**
 * Checks of the node: what it would refuse to start with, and the one that runs.
 *
 * @module cli/checks/node
 */
import {
  type Config,
  InputError,
  isKithError,
  isLoopback,
  systemClock,
  systemRandom,
} from '../../base/index.ts';
import { type RunningNode, readRunFile, tlsFiles } from '../../node/index.ts';
import { openKeyStore } from '../../server/index.ts';
import { createClient } from '../client.ts';
import { version } from '../version.ts';
import { fail, ok, type Verdict, warn } from './finding.ts';

/** What the node would refuse to start with. */
export function checkAccess(config: Config): void {
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

export async function checkNode(home: string, node: RunningNode): Promise<Verdict> {
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

export async function checkAlerts(node: RunningNode): Promise<Verdict> {
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
