/** `kith shard receipts`: what nodes computed for each other, signed by both. @module cli/commands/shard-receipts */
import { formatCount, formatDuration, formatPlural, readFileBounded, systemClock } from '../../base/index.ts';
import type { WorkReceiptView, WorkTotalView, WorkView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { exitCode, UsageError } from '../failure.ts';
import { parseSince } from '../log-analysis/since.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

const sideOf = ({ given, taken }: Readonly<Record<string, unknown>>): string | null => {
  if (given === true && taken === true)
    throw new UsageError('Name one of --given and --taken; without either, both are listed.');
  if (given === true) return 'given';
  return taken === true ? 'taken' : null;
};

export const receipts: Handler = async ({ options }) => {
  if (options.verify !== undefined) return verify(String(options.verify), options.json === true);
  const query = new URLSearchParams({ limit: String(options.limit) });
  const side = sideOf(options);
  if (side !== null) query.set('side', side);
  if (options.peer !== undefined) query.set('peer', String(options.peer));
  if (options.since !== undefined)
    query.set('since', String(Math.max(0, parseSince(String(options.since), systemClock.now()))));
  const node = await runningNode(options);
  const told = await node.call<WorkView>('GET', `/kith/v1/shards/receipts?${query}`);
  if (options.json) {
    printJson(told);
    return;
  }
  if (options.totals) {
    if (told.totals.length === 0) print('No work: this node and its peers computed nothing for each other.');
    else print(totalTable(told.totals));
  } else if (told.receipts.length === 0) {
    print('No receipts of work: this node and its peers computed nothing for each other.');
  } else {
    print(receiptTable(told.receipts));
    say(`${formatPlural(told.total, 'receipt')} in all; --json has the signed bytes.`);
    if (told.receipts.some(({ missingOne }) => missingOne))
      say('*: the receipt before it, which it names, never came here.');
  }
  for (const { peer } of told.contradictions)
    print(paint('red', `${peer} signed two receipts that contradict each other; --json has both.`));
};

const modelOf = ({ model, modelId }: Pick<WorkReceiptView, 'model' | 'modelId'>): string =>
  plain(modelId ?? model.slice(0, 12));

function receiptTable(list: readonly WorkReceiptView[]): string {
  const rows = list.map((one) => [
    new Date(one.ended).toISOString().slice(0, 16).replace('T', ' '),
    one.side,
    one.peer,
    modelOf(one),
    `${one.blocks[0]}-${one.blocks[1] - 1}`,
    `${one.sequence}${one.missingOne ? '*' : ''}`,
    ...[one.prompt, one.decode, one.replayed].map(formatCount),
    formatDuration(one.ms),
    one.reason === null ? one.state : `${one.state}: ${plain(one.reason)}`,
  ]);
  const head = [
    'UNTIL (UTC)',
    'WAY',
    'PEER',
    'MODEL',
    'BLOCKS',
    'NO',
    'PROMPT',
    'ANSWER',
    'AGAIN',
    'TIME',
    'STATE',
  ];
  return table([head, ...rows], [5, 6, 7, 8, 9]);
}

function totalTable(list: readonly WorkTotalView[]): string {
  const rows = list.map((one) => [
    one.side,
    one.peer === '*' ? 'others' : one.peer,
    one.peer === '*' ? '' : modelOf(one),
    one.agreed ? 'by both' : 'by one side',
    ...[one.receipts, one.prompt + one.decode + one.replayed, one.rowBlocks].map(formatCount),
    formatDuration(one.ms),
  ]);
  return table(
    [['WAY', 'PEER', 'MODEL', 'SIGNED', 'RECEIPTS', 'ROWS', 'ROWS X BLOCKS', 'TIME'], ...rows],
    [4, 5, 6, 7],
  );
}

/** Asks no node: who signed stands in the receipts. */
async function verify(path: string, json: boolean): Promise<number> {
  const { checkExport, EXPORT_BOUNDS, readExport } = await import('../../shards/index.ts');
  const bytes = await readFileBounded(path, EXPORT_BOUNDS.bytes);
  const told = checkExport(readExport(Buffer.from(bytes).toString('utf8')));
  const bad = told.receipts.filter(({ state }) => state === 'bad');
  const code = bad.length > 0 || told.contradictions.length > 0 ? exitCode.failure : exitCode.ok;
  if (json) {
    printJson({
      ...told,
      receipts: told.receipts.map(({ facts, ...one }) => ({
        ...one,
        ...(facts !== null && {
          ...{ shard: facts.shard, owner: facts.owner, model: facts.model, blocks: [facts.from, facts.to] },
          ...{ prompt: facts.prompt, decode: facts.decode, replayed: facts.replayed, steps: facts.steps },
          ...{
            ms: facts.ms,
            begun: facts.begun,
            ended: facts.ended,
            sequence: facts.sequence,
            part: facts.part,
          },
        }),
      })),
    });
    return code;
  }
  const count = (state: string) => told.receipts.filter((one) => one.state === state).length;
  print(
    `${formatPlural(told.receipts.length, 'receipt')}: ${count('signed')} signed by both, ${count('half')} by the shard alone, ${bad.length} bad`,
  );
  for (const { name, fault } of bad) print(paint('red', `  ${name.slice(0, 16)}: ${fault}`));
  for (const [first, second] of told.contradictions)
    print(paint('red', `  ${first.slice(0, 16)} and ${second.slice(0, 16)} contradict each other`));
  if (told.doubled > 0)
    print(`  ${formatPlural(told.doubled, 'receipt')} came more than once and counted once`);
  if (told.missing > 0)
    print(
      asTyped(
        `  ${formatPlural(told.missing, 'receipt')} that others name as the one before them are not in the file`,
      ),
    );
  return code;
}
