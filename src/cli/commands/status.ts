/** `kith status`. @module cli/commands/status */
import { formatBytes, formatCount, formatDuration, formatPlural } from '../../base/index.ts';
import { findNode } from '../../node/index.ts';
import { createClient } from '../client.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

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
  const status = await createClient(found.run).status();
  if (options.json) printJson(status);
  else {
    const colour = status.state === 'ready' ? 'green' : 'yellow';
    print(`${paint(colour, status.state)}${status.message ? `: ${asTyped(status.message)}` : ''}`);
    const rows = [
      ['address', status.url],
      ['version', `${status.version} (process ${status.pid}, up ${formatDuration(status.uptimeMs)})`],
      ['home', status.home],
      ['default', status.defaultModel ?? 'none'],
      ['requests', `${status.requests.active} active, ${formatCount(status.requests.total)} since the start`],
      ['memory', `${formatBytes(status.memory.node)} node, ${formatBytes(status.memory.engine)} engine`],
    ];
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
    }
    if (status.progress)
      rows.push([
        'start',
        `${status.progress.phase} ${formatBytes(status.progress.doneBytes)} of ${formatBytes(status.progress.totalBytes)}`,
      ]);
    print(table(rows.map(([name, value]) => [`  ${name}`, value!])));
  }
  return status.state === 'degraded' ? exitCode.degraded : exitCode.ok;
};
export default run;
