/** `kith shard plan` and `kith shard circuits`: paths through peers. @module cli/commands/shard-paths */
import { formatBytes, formatCount, formatDuration, formatPlural, systemClock } from '../../base/index.ts';
import type { CircuitView, PathPlanView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

const API = '/kith/v1/shards';

export const plan: Handler = async ({ args, options }) => {
  const query = new URLSearchParams({ model: String(args[0]) });
  const put = (name: string, value: unknown) => {
    if (value !== undefined) query.set(name, String(value));
  };
  put('minTier', options.minTier);
  put('region', options.region);
  put('pledge', options.pledge);
  put('via', options.via);
  put('cells', options.cells);
  const told = await (await runningNode(options)).call<PathPlanView>('GET', `${API}/plan?${query}`);
  const code = told.path === null ? 1 : 0;
  if (options.json) {
    printJson(told);
    return code;
  }
  const { path, blocks, span, gaps } = told;
  if (path === null) {
    print(paint('yellow', `There is no path for ${plain(told.model)} now.`));
    for (const gap of gaps) print(`  nobody who may be asked serves ${spanText(gap)}`);
    if (gaps.length > 0) print(asTyped(`Have a friend run: kith shard serve --model ${plain(told.model)}`));
  } else {
    print(
      `${plain(told.model)}: ${formatPlural(blocks, 'block')}, ${formatPlural(path.shards.length, 'peer')}`,
    );
    print(
      table(
        [
          ['blocks', 'computed by', 'compute', 'way to it'],
          ...(span.from > 0 ? [[`0-${span.from - 1}`, 'this node', '', '']] : []),
          ...path.shards.map(({ peer, from, to, computeMs, linkMs }) => [
            `${from}-${to - 1}`,
            peer,
            milliseconds(computeMs),
            milliseconds(linkMs),
          ]),
          ...(span.to < blocks ? [[`${span.to}-${blocks - 1}`, 'this node', '', '']] : []),
        ],
        [2, 3],
      ),
    );
    print(
      `${milliseconds(path.msPerToken)} for a token, predicted: about ${(1000 / path.msPerToken).toFixed(1)} tokens/s`,
    );
  }
  if (options.explain || path === null) explain(told);
  return code;
};

function explain({ alternatives, leftOut }: PathPlanView): void {
  for (const { without, msPerToken, peers } of alternatives)
    print(
      `without ${short(without)}: ${msPerToken === null ? 'no path' : `${milliseconds(msPerToken)} for a token, over ${peers.map(short).join(', ')}`}`,
    );
  const others = leftOut.filter(({ reason }) => reason !== 'self');
  if (others.length === 0) return;
  print('left out:');
  print(table(others.map(({ peer, reason, detail }) => [`  ${peer}`, reason, plain(detail)])));
}

export const create: Handler = async ({ args, options }) => {
  const ttlMs = parseDuration(String(options.ttl));
  if (ttlMs === null) throw new UsageError(`--ttl ${String(options.ttl)}: write a time such as 30m or 12h.`);
  const made = await (await runningNode(options)).call<CircuitView>('POST', `${API}/circuits`, {
    body: {
      model: String(args[0]),
      ...(options.name === undefined ? {} : { name: options.name }),
      ttlMs,
      requirements: {
        ...(options.minTier === undefined ? {} : { minTier: options.minTier }),
        ...(options.region === undefined ? {} : { regions: String(options.region).split(',') }),
        ...(options.pledge ? { pledge: true } : {}),
      },
      ...(options.via === undefined ? {} : { via: String(options.via).split(',').map(viaOf) }),
      ...(options.cells === undefined ? {} : { cells: options.cells }),
    },
  });
  if (options.json) {
    printJson(made);
    return;
  }
  print(circuitTable([made]));
  say(asTyped(`Ask over it: kith shard run --circuit ${made.name} --model ${plain(made.model)} "..."`));
};

export const list: Handler = async ({ options }) => {
  const { circuits } = await (await runningNode(options)).call<{ circuits: CircuitView[] }>(
    'GET',
    `${API}/circuits`,
  );
  if (options.json) printJson({ circuits });
  else if (circuits.length === 0) print('No path is open.');
  else print(circuitTable(circuits));
};

export const close: Handler = async ({ args, options }) => {
  const node = await runningNode(options);
  const name = encodeURIComponent(String(args[0]));
  const closed = await node.call<{ name: string }>('DELETE', `${API}/circuits/${name}`);
  if (options.json) printJson(closed);
  else print(`${plain(closed.name)} is closed.`);
};

function circuitTable(circuits: readonly CircuitView[]): string {
  const now = systemClock.now();
  return table(
    [
      ['circuit', 'model', 'path', 'cells', 'in use', 'a step', 'carried', 'lost', 'ends'],
      ...circuits.map(({ name, model, shards, cells, inUse, figures, endsAt }) => [
        name,
        plain(model),
        shards.map(({ peer, from, to }) => `${from}-${to - 1} ${short(peer)}`).join(' > '),
        formatCount(cells),
        formatCount(inUse),
        figures.steps === 0 ? '-' : milliseconds(figures.ms / figures.steps),
        formatBytes(figures.bytes),
        formatCount(figures.lost.length),
        endsAt === null ? 'when idle' : `in ${formatDuration(Math.max(0, endsAt - now))}`,
      ]),
    ],
    [3, 4, 5, 6, 7],
  );
}

/** The ends of PeerIds differ. */
export const short = (peer: string): string => `…${peer.slice(-8)}`;
export const milliseconds = (ms: number): string => `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;

const spanText = ({ from, to }: { readonly from: number; readonly to: number }): string =>
  to === from + 1 ? `block ${from}` : `blocks ${from} to ${to - 1}`;

function viaOf(text: string): { peer: string; span?: { from: number; to: number } } {
  const [peer = '', range] = text.split(':', 2);
  if (range === undefined) return { peer };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  if (match === null)
    throw new UsageError(`--via ${text}: write PEER or PEER:FIRST-LAST, such as 12D3KooW...:0-9.`);
  const from = Number(match[1]);
  return { peer, span: { from, to: Number(match[2] ?? from) + 1 } };
}
