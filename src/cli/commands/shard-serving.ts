/** `kith shard serve`, `kith shard stop`, `kith shard status`. @module cli/commands/shard-serving */
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
  KithError,
  systemClock,
} from '../../base/index.ts';
import type { Progress } from '../../models/index.ts';
import type { ServedView, ServingView } from '../../server/index.ts';
import { connect, type NodeClient, runningNode } from '../client.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { createProgress } from '../progress.ts';
import { settingsOf } from '../settings.ts';

const PATH = '/kith/v1/shards/serving';
const LOOK_MS = 200;

const viewOf = (node: NodeClient): Promise<ServingView> => node.call<ServingView>('GET', PATH);

export const serve: Handler = async ({ options }) => {
  const { model = null, startBlock: from = null, blocks = null, auto = false } = options;
  if (auto && from !== null)
    throw new UsageError('With --auto the node chooses where the blocks begin; leave out --start-block.');
  const node = await nodeFor(options);
  const begun = await node.call<ServedView>('POST', PATH, { body: { model, from, blocks, auto } });
  if (!options.json) say(`Serving ${rangeText(begun)}.`);
  const { one, view } = await follow(node, begun);
  if (options.json) {
    printJson(one);
    return;
  }
  print(
    `${paint('green', 'ready')}: ${rangeText(one)}, ${formatBytes(bytesOf(one))}, ${formatCount(one.cells)} KV cells, ${one.tokenMs!.toFixed(1)} ms a token.`,
  );
  print(accessText(view));
  for (const line of useText(view, one.model)) print(line);
};

/** @throws KithError what went wrong on the way */
async function follow(
  node: NodeClient,
  begun: ServedView,
): Promise<{ readonly one: ServedView; readonly view: ServingView }> {
  const progress = createProgress();
  const isIt = (one: ServedView) =>
    one.sha256 === begun.sha256 && one.from === begun.from && one.to === begun.to;
  let said = '';
  try {
    for (;;) {
      const view = await viewOf(node);
      const one = view.served.find(isIt);
      if (one === undefined)
        throw new KithError(
          'shard_not_served',
          'Serving was stopped meanwhile. Start it again if you want it.',
        );
      if (one.problem !== null && one.state === 'failed')
        throw new KithError(one.problem.code, one.problem.message);
      if (one.state === 'ready') return { one, view };
      if (one.progress !== null)
        progress.update(one.model, {
          phase: one.progress.phase as Progress['phase'],
          doneBytes: one.progress.doneBytes,
          totalBytes: one.progress.totalBytes,
          ...{ rate: null, eta: null },
        });
      else if (one.state === 'warming' && said !== one.state) {
        progress.clear();
        say('Measuring what a token takes.');
      }
      said = one.state;
      await systemClock.sleep(LOOK_MS);
    }
  } finally {
    progress.clear();
  }
}

async function nodeFor(options: Readonly<Record<string, unknown>>): Promise<NodeClient> {
  const settings = settingsOf(options);
  const { home } = settings.config;
  const running = await connect(home);
  if (running !== null) return running;
  if (!options.start)
    throw new KithError(
      'node_down',
      `No node is running on ${home}. Start one with: kith start. Or let this command do it: kith shard serve --start`,
    );
  // Otherwise a node would run that can serve nobody.
  if (!settings.config.swarm.enabled)
    throw new KithError(
      'swarm_off',
      'The swarm of this node is off, and blocks are served to peers of it. Switch it on first: kith config set swarm.enabled true',
      { status: 409 },
    );
  const { startDaemon } = await import('../daemon.ts');
  const { start: _, json, ...rest } = options;
  // What is printed as JSON is the answer of this command alone.
  await startDaemon(settings, rest, json === true);
  return runningNode(options);
}

export const stop: Handler = async ({ args, options }) => {
  const node = await runningNode(options);
  const body = { model: (args[0] as string | undefined) ?? null, from: options.startBlock ?? null };
  const { stopping } = await node.call<{ stopping: readonly ServedView[] }>('POST', `${PATH}/stop`, { body });
  const sessions = stopping.reduce((sum, one) => sum + one.sessions, 0);
  if (sessions > 0 && !options.json)
    say(`${formatPlural(sessions, 'session')} of peers may go on elsewhere; waiting for that.`);
  for (;;) {
    const { served } = await viewOf(node);
    const left = served.filter(({ sha256, from, state }) =>
      stopping.some((one) => one.sha256 === sha256 && one.from === from && state === 'draining'),
    );
    if (left.length === 0) break;
    await systemClock.sleep(LOOK_MS);
  }
  if (options.json) printJson(stopping);
  else for (const one of stopping) print(`No longer served: ${rangeText(one)}.`);
};

export const status: Handler = async ({ options }) => {
  const view = await viewOf(await runningNode(options));
  const code = view.served.some(({ state }) => state === 'failed') ? exitCode.degraded : exitCode.ok;
  if (options.json) {
    printJson(view);
    return code;
  }
  if (view.served.length === 0) {
    print(asTyped('This node serves no blocks. Serve some with: kith shard serve --model NAME --auto'));
    for (const problem of view.problems) print(`${paint('yellow', 'problem')}: ${plain(problem)}`);
    return code;
  }
  print(
    table(
      [
        ['MODEL', 'BLOCKS', 'STATE', 'MEMORY', 'CELLS', 'FREE', 'MS/TOKEN', 'SESSIONS'],
        ...view.served.map((one) => [
          one.model,
          `${blocksText(one)} of ${one.blocks}${one.auto ? ', auto' : ''}`,
          one.progress === null ? one.state : `${one.state} ${partOf(one.progress)}`,
          one.memory === null ? '-' : formatBytes(bytesOf(one)),
          formatCount(one.cells),
          formatCount(one.freeCells),
          one.tokenMs === null ? '-' : one.tokenMs.toFixed(1),
          `${one.sessions}`,
        ]),
      ],
      [3, 4, 5, 6, 7],
    ),
  );
  print();
  print(accessText(view));
  for (const { model, tokensPerSecond, freeCacheTokens, state } of view.announced)
    print(
      `Others are told of ${model}: ${state}, ${tokensPerSecond ?? 'unknown'} tokens a second, room for ${formatCount(freeCacheTokens)} tokens of context.`,
    );
  for (const line of rebalancingText(view)) print(line);
  if (view.sessions.length > 0) {
    print();
    print(
      table(
        [
          ['PEER', 'WHO', 'MODEL', 'CELLS', 'TOKENS', 'TOK/S', 'RESTS', 'ENDS IN'],
          ...view.sessions.map((one) => [
            one.peer,
            one.friend ? 'friend' : one.tier,
            `${one.model} ${blocksText(one)}`,
            formatCount(one.cells),
            formatCount(one.tokens),
            one.tokensPerSecond.toFixed(1),
            formatDuration(one.idleMs),
            formatDuration(one.leftMs),
          ]),
        ],
        [3, 4, 5, 6, 7],
      ),
    );
  }
  for (const problem of view.problems) print(`${paint('yellow', 'problem')}: ${plain(asTyped(problem))}`);
  return code;
};

const bytesOf = ({ memory }: ServedView): number => (memory?.weightBytes ?? 0) + (memory?.kvBytes ?? 0);

/** With the last block, not the one after it. */
const blocksText = ({ from, to }: Pick<ServedView, 'from' | 'to'>): string =>
  to - from === 1 ? `${from}` : `${from}-${to - 1}`;

const rangeText = (one: ServedView): string =>
  `blocks ${blocksText(one)} of the ${one.blocks} of ${plain(one.model)}`;

function partOf({ doneBytes, totalBytes }: NonNullable<ServedView['progress']>): string {
  return totalBytes === null || totalBytes === 0
    ? formatBytes(doneBytes)
    : `${Math.floor((100 * doneBytes) / totalBytes)} %`;
}

/** Whether the node goes on with the blocks that it chose by itself, why, and when it looks again. */
function rebalancingText({ served, rebalancing }: ServingView): string[] {
  const chosen = served.filter(({ auto }) => auto);
  if (chosen.length === 0) return [];
  if (rebalancing === null) return ['Blocks that it chose stay (shards.rebalance is off).'];
  const { looks, lastMove, nextLookMs } = rebalancing;
  const next = `It looks again in ${formatDuration(nextLookMs)}.`;
  const lines = looks.map((look) => {
    const why = look.reasons.map((reason) => plain(reason)).join(' ');
    const wait = look.waitMs === null ? '' : ` until in ${formatDuration(look.waitMs)}`;
    const what =
      look.wanted === null
        ? `stays with blocks ${blocksText(look)}`
        : look.decision === 'wait'
          ? `would take blocks ${blocksText(look.wanted)}, and waits${wait}`
          : `${look.decision === 'fetch' ? 'fetches' : 'takes'} blocks ${blocksText(look.wanted)}`;
    return `${plain(look.model)}: the node ${what}. ${why} ${next}`;
  });
  if (lastMove?.wanted)
    lines.push(
      `${formatDuration(lastMove.agoMs)} ago it went from blocks ${blocksText(lastMove)} to ${blocksText(lastMove.wanted)} of ${plain(lastMove.model)}: ${lastMove.reasons.map((reason) => plain(reason)).join(' ')}`,
    );
  return lines.length === 0 ? [`Nothing was decided yet of blocks that it chose. ${next}`] : lines;
}

/** For whom they are, and the command that changes it. */
function accessText({ access }: ServingView): string {
  const { friends, minTier, hours } = access;
  const when = hours === null ? '' : ` Only from ${hours.replace('-', ' to ')}.`;
  if (friends === 0 && minTier === null)
    return asTyped(
      'Nobody may use them yet. Name a friend and start the node again: kith config set swarm.friends 12D3KooW...',
    );
  const named = friends === 0 ? [] : [`your ${formatPlural(friends, 'friend')}`];
  const whom =
    minTier === null
      ? [...named, 'nobody else']
      : [...named, minTier === 'unknown' ? 'everybody' : `peers of tier ${minTier} and above`];
  const more =
    minTier === null
      ? ' Let others with: kith config set shards.serveTier verified, and start the node again.'
      : '';
  return asTyped(`They are for ${whom.join(' and ')}.${when}${more}`);
}

/** What the others do. */
function useText({ peer, addresses }: ServingView, model: string): string[] {
  const address = addresses.find((one) => !one.includes('/127.0.0.1/')) ?? addresses[0];
  return [
    'On a node that is to use them, name this one as a friend, connect, and ask:',
    `  kith config set swarm.friends ${peer}`,
    ...(address === undefined ? [] : [`  kith p2p connect ${address}`]),
    `  kith shard run --model ${plain(model)} "Why is the sky blue?"`,
  ];
}
