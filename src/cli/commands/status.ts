/** `kith status`. @module cli/commands/status */
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
  formatRate,
  isKithError,
} from '../../base/index.ts';
import { findNode } from '../../node/index.ts';
import type { LoadedModelStatus, NodeStatus } from '../../server/index.ts';
import { createClient } from '../client.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

/** A node tells its state within 3 s, whatever its parts do. */
const answersWithinMs = 5_000;

const run: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  const found = await findNode(home);
  if (found.state !== 'running') {
    const state = found.state === 'down' ? 'down' : 'changing';
    if (options.json) printJson({ state, pid: found.state === 'down' ? null : found.pid, home });
    else if (found.state === 'down')
      print(asTyped(`No node is running on ${home}. Start one with: kith start`));
    else print(`The node (process ${found.pid}) is starting or stopping.`);
    return exitCode.failure;
  }
  const client = createClient(found.run);
  const inTime = AbortSignal.timeout(answersWithinMs);
  const told = await Promise.all([client.status(inTime), client.metrics(inTime)]).catch((error: unknown) => {
    if (isKithError(error) && error.code === 'aborted') return null;
    throw error;
  });
  if (told === null) {
    const message = `The node (process ${found.run.pid}) has not answered for ${answersWithinMs / 1000} s.`;
    if (options.json) printJson({ state: 'degraded', message, pid: found.run.pid, home });
    else print(`${paint('yellow', 'degraded')}: ${message} Look at: kith logs`);
    return exitCode.degraded;
  }
  const [status, { recent, alerts }] = told;
  if (options.json) printJson({ ...status, alerts: alerts.firing });
  else {
    const colour = status.state === 'ready' ? 'green' : 'yellow';
    print(`${paint(colour, status.state)}${status.message ? `: ${asTyped(status.message)}` : ''}`);
    const rows = [
      ['address', status.url],
      ['version', `${status.version} (process ${status.pid}, up ${formatDuration(status.uptimeMs)})`],
      ['home', status.home],
      ['peer', status.identity.peerId],
      ['DID', status.identity.did],
      ['default', status.defaultModel ?? 'none'],
      [
        'requests',
        `${status.requests.active} active, ${formatCount(status.requests.total)} since the start, ${formatCount(status.requests.refused)} refused`,
      ],
      [
        'memory',
        `${formatBytes(status.memory.node)} node, ${formatBytes(status.memory.engine)} engine, ${formatBytes(status.memory.free)} free`,
      ],
      ['disk', `${formatBytes(status.diskFree)} free`],
    ];
    if (status.swarm.state !== 'off') rows.push(['swarm', swarmText(status.swarm)]);
    for (const { backend, breaker } of status.backends) {
      if (breaker.state !== 'closed')
        rows.push([
          'breaker',
          `${status.backends.length > 1 ? `${backend}: ` : ''}${breaker.state.replace('_', ' ')} after ${formatPlural(breaker.failures, 'failure')}`,
        ]);
    }
    if (status.engine.restarts > 0)
      rows.push([
        'engine',
        `restarted ${formatPlural(status.engine.restarts, 'time')}; last: ${status.engine.lastCause ?? 'unknown'}`,
      ]);
    for (const model of status.loaded) {
      rows.push([
        'loaded',
        `${model.id}: ${model.architecture}, ${model.blocks} blocks on ${model.device} (${model.runner}), context ${formatCount(model.context)}, weights ${formatBytes(model.weightBytes)}, KV ${formatBytes(model.kvBytes)}`,
      ]);
      const work = workOf(model);
      if (work !== null) rows.push(['', work]);
    }
    if (status.progress)
      rows.push([
        'start',
        `${status.progress.phase} ${formatBytes(status.progress.doneBytes)} of ${formatBytes(status.progress.totalBytes)}`,
      ]);
    const { answers, timeToFirstTokenMs, tokensPerSecond } = recent.all;
    if (answers > 0)
      rows.push([
        'recent',
        `${formatPlural(answers, 'answer')} in 5 min, first token ${formatDuration(timeToFirstTokenMs?.p50 ?? null)} (P95 ${formatDuration(timeToFirstTokenMs?.p95 ?? null)}), ${formatRate(tokensPerSecond?.p50 ?? null, 'tok')}`,
      ]);
    for (const { severity, message } of alerts.firing)
      rows.push(['alert', `${severity}: ${asTyped(message)}`]);
    print(table(rows.map(([name, value]) => [`  ${name}`, value!])));
  }
  return exitCodeOf(status.state);
};
export default run;

/** What the command ends with for a node in this state. */
export function exitCodeOf(state: NodeStatus['state']): number {
  if (state === 'degraded') return exitCode.degraded;
  // As when its run file is gone already: a node that leaves is none to send requests to.
  return state === 'stopping' ? exitCode.failure : exitCode.ok;
}

function swarmText({ state, message, counters, peers, unread }: NodeStatus['swarm']): string {
  if (state !== 'running') return `${state}${message === null ? '' : `: ${plain(message)}`}`;
  const connections = formatPlural(counters?.connections ?? 0, 'connection');
  return `${connections}, ${formatPlural(peers, 'peer')} known, ${formatPlural(unread, 'unread message')}`;
}

/** What a loaded model does now, as far as it is known. */
function workOf({ work, kvCells }: LoadedModelStatus): string | null {
  if (work === null) return null;
  const { active, waiting, usedCells, cachedCells, tokensPerSecond: speed } = work;
  const parts = [`${active} active, ${waiting} waiting`];
  if (usedCells !== null && cachedCells !== null) {
    parts.push(
      `KV cells ${formatCount(usedCells)} used and ${formatCount(cachedCells)} cached of ${formatCount(kvCells)}`,
    );
  }
  if (speed !== null) parts.push(`${speed.toFixed(1)} tokens/s in the last minute`);
  return parts.join(', ');
}
