/** `kith shard chain` and `kith shard gap`: who serves which blocks, and what is missing. @module cli/commands/shard-coverage */
import { formatCount, formatDuration, formatPlural } from '../../base/index.ts';
import type { Blocks, CoverageListView, CoverageView, ShardPeerView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

/** Characters of a bar. */
const BAR = 48;

export const chain: Handler = async ({ args, options }) => {
  const [one] = (await ask(options, args[0] as string, false)).models;
  if (options.json) {
    printJson(one);
    return;
  }
  print(titleOf(one!));
  if (one!.peers.length === 0) {
    print('Nobody whom this node knows serves blocks of it.');
    return;
  }
  const rows = one!.peers.map((peer) => [
    barOf(peer, one!.blocks),
    peer.blocks.map(blocksText).join(', '),
    nameOf(peer),
    peer.self ? '' : peer.friend ? `${peer.tier}, friend` : peer.tier,
    rttText(peer),
    rateText(peer.tokensPerSecond),
    formatCount(peer.freeCells),
    peer.state === 'online' ? (peer.usable ? 'yes' : `no: ${plain(peer.reason ?? '')}`) : `no: ${peer.state}`,
  ]);
  print(table([['', 'BLOCKS', 'PEER', 'TIER', 'RTT', 'TOK/S', 'CELLS', 'USABLE'], ...rows], [4, 5, 6]));
  print(sumOf(one!));
};

export const gap: Handler = async ({ args, options }) => {
  const told = await ask(options, (args[0] as string | undefined) ?? null, true);
  const code = told.models.some(({ gaps }) => gaps.length > 0) ? exitCode.failure : exitCode.ok;
  if (options.json) {
    printJson(told);
    return code;
  }
  if (told.models.length === 0) print('No peer whom this node knows announces blocks of a model.');
  for (const [index, one] of told.models.entries()) {
    if (index > 0) print();
    print(titleOf(one));
    print(`  ${sumOf(one)}`);
    const { proposal } = one;
    if (proposal === null) {
      if (one.modelId === null)
        print('  The model is not known on this node, so that it cannot tell what it could serve of it.');
      continue;
    }
    for (const reason of proposal.reasons) print(`  ${plain(reason)}`);
    if (proposal.command !== null) print(`  ${paint('bold', plain(asTyped(proposal.command)))}`);
  }
  if (told.more) say('More models are announced; name one to see it.');
  return code;
};

function ask(
  options: Readonly<Record<string, unknown>>,
  model: string | null,
  propose: boolean,
): Promise<CoverageListView> {
  const query = new URLSearchParams({ propose: String(propose) });
  if (model !== null) query.set('model', model);
  return runningNode(options).then((node) =>
    node.call<CoverageListView>('GET', `/kith/v1/shards/coverage?${query}`),
  );
}

function titleOf({ model, modelId, quantisation, blocks, blocksFrom }: CoverageView): string {
  const name = modelId === null ? `model ${model}` : modelId;
  const kind = quantisation === null ? '' : ` ${plain(quantisation)}`;
  const count =
    blocksFrom === 'model'
      ? formatPlural(blocks, 'block')
      : `at least ${formatPlural(blocks, 'block')}, as peers announce: the model is not known here`;
  return `${paint('bold', plain(name))}${kind}, ${count}`;
}

function sumOf({ gaps, weakest, peers }: CoverageView): string {
  if (gaps.length > 0)
    return paint('yellow', `Nobody who may be used serves blocks ${gaps.map(blocksText).join(', ')}.`);
  if (weakest === null || peers.length === 0) return 'Nobody serves blocks of it.';
  const times = weakest.times === 1 ? 'by one node' : `by ${weakest.times} nodes`;
  return `Every block is served. The weakest: ${blocksText(weakest.blocks)}, ${times}, ${rateText(weakest.tokensPerSecond)} tokens a second.`;
}

/** One row of the picture: the blocks of the model from left to right, those of the peer filled; paler where it may not be used. */
export function barOf(
  { blocks: held, usable }: Pick<ShardPeerView, 'blocks' | 'usable'>,
  blocks: number,
): string {
  const width = Math.max(1, Math.min(BAR, blocks));
  const filled = usable ? '█' : '▒';
  let bar = '';
  for (let i = 0; i < width; i++) {
    const [from, to] = [(i * blocks) / width, ((i + 1) * blocks) / width];
    bar += held.some(([start, end]) => start < to && end > from) ? filled : '·';
  }
  return bar;
}

const nameOf = ({ peer, self }: ShardPeerView): string => (self ? `${peer} (this node)` : peer);
const blocksText = ([from, to]: Blocks): string => (to - from === 1 ? `${from}` : `${from}-${to - 1}`);
const rateText = (rate: number | null): string => (rate === null ? '-' : `${Number(rate.toPrecision(3))}`);

function rttText({ rttMs, rttSource, self }: ShardPeerView): string {
  if (self || rttMs === null) return '-';
  return rttSource === 'measured' ? formatDuration(rttMs) : `~${formatDuration(rttMs)}`;
}
