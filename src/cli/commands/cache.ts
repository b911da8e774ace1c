/** `kith cache stats|clear`: the kept answers of the running node. @module cli/commands/cache */
import { formatBytes, formatCount, formatPercent, formatPlural } from '../../base/index.ts';
import type { CacheView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { asTyped, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';

export const stats: Handler = async ({ options }) => {
  const node = await runningNode(options);
  const view = await node.call<CacheView>('GET', '/kith/v1/cache');
  if (options.json) {
    printJson(view);
    return;
  }
  if (view.stats === null) {
    print(asTyped('This node keeps no answers. To keep some: kith config set gateway.cache auto'));
    return;
  }
  if ((await node.status()).policy.cache === 'off')
    print(
      asTyped(
        'gateway.cache is off: answers are kept only for requests that ask for it (x-kith-cache). To keep others: kith config set gateway.cache auto',
      ),
    );
  const {
    hits,
    similar,
    shared,
    misses,
    expired,
    stale,
    bypassed,
    stored,
    failed,
    savedTokens,
    bytes,
    entries,
  } = view.stats;
  const served = hits + similar + shared;
  const rows = [
    [
      'kept',
      `${entries === null ? 'an unknown number of' : formatCount(entries)} answers, ${formatBytes(bytes)}`,
    ],
    [
      'served',
      `${formatCount(served)} of ${formatPlural(served + misses, 'request')}${served + misses === 0 ? '' : ` (${formatPercent(served / (served + misses))})`}: ${formatCount(hits)} the same, ${formatCount(similar)} of the same meaning, ${formatCount(shared)} shared while under way`,
    ],
    ['missed', `${formatCount(misses)}, ${formatCount(expired)} of them past their time`],
    ['saved', formatPlural(savedTokens, 'token')],
    ['stored', `${formatCount(stored)}, ${formatCount(failed)} answers failed`],
    [
      'not kept',
      `${formatCount(bypassed)} that may not be; ${formatCount(stale)} stale ones were given in need`,
    ],
  ];
  print(table(rows.map(([name, value]) => [`  ${name}`, value!])));
};

export const clear: Handler = async ({ options }) => {
  const query = new URLSearchParams();
  if (options.model !== undefined) query.set('model', String(options.model));
  if (options.olderThan !== undefined) {
    const ms = parseDuration(String(options.olderThan));
    if (ms === null)
      throw new UsageError(
        `'${options.olderThan}' is no time for --older-than; write a number and s, m, h, d, w or y, such as 7d.`,
      );
    query.set('olderThanMs', String(ms));
  }
  const node = await runningNode(options);
  const done = await node.call<{ removed: number }>('DELETE', `/kith/v1/cache?${query}`);
  if (options.json) printJson(done);
  else print(`Removed ${formatPlural(done.removed, 'answer')}.`);
};
