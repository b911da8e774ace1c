/** `kith ban`, `kith unban`. @module cli/commands/ban */
import type { BanView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';

const PATH = '/kith/v1/swarm/bans';

export const ban: Handler = async ({ args, options }) => {
  if (args[0] === undefined) {
    if (options.for !== undefined) throw new UsageError('--for needs the peer to ban.');
    const { bans } = await (await runningNode(options)).call<{ bans: readonly BanView[] }>('GET', PATH);
    if (options.json) printJson(bans);
    else if (bans.length === 0) print('Nobody is banned.');
    else print(table([['PEER', 'UNTIL'], ...bans.map((one) => [one.peer, untilText(one)])]));
    return;
  }
  const forMs = options.for === undefined ? null : parseDuration(String(options.for));
  if (options.for !== undefined && forMs === null)
    throw new UsageError(
      `'${options.for}' is no time for --for; write a number and s, m, h, d, w or y, such as 7d.`,
    );
  const node = await runningNode(options);
  const done = await node.call<BanView>('POST', PATH, { body: { peer: String(args[0]), forMs } });
  if (options.json) printJson(done);
  else
    print(`${done.peer} is cut and banned ${done.until === null ? 'for good' : `until ${untilText(done)}`}.`);
};

function untilText({ until }: BanView): string {
  return until === null ? 'for good' : new Date(until).toISOString();
}

export const unban: Handler = async ({ args, options }) => {
  const peer = String(args[0]);
  const node = await runningNode(options);
  const done = await node.call<{ unbanned: boolean }>('DELETE', `${PATH}/${encodeURIComponent(peer)}`);
  if (options.json) printJson(done);
  else print(done.unbanned ? `${peer} may connect again.` : `${peer} was not banned.`);
};
