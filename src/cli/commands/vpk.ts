/** `kith vpk ...`: knowledge bases on the disks of peers. @module cli/commands/vpk */
import { resolve as absolute } from 'node:path';
import { formatBytes, formatCount, formatPlural } from '../../base/index.ts';
import type { JobView, PlacedView, PlaceOrder, StorageView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { eveNames, eveShown, peerShown } from '../eve-names.ts';
import { scoreText, tellForked, tellPoor } from '../eve-standing.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { vaultPassphrase } from '../vault-passphrase.ts';
import { codeOf, follow } from './rag-jobs.ts';
import { tellStorage } from './storage.ts';
import { grantLineOf, tellGranted } from './vpk-grant.ts';

const kbOf = ({ args }: Invocation): string => String(args[0]);
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const listed = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const never = new AbortController().signal;

/** Runs a job to its end and says what came of it. */
async function done(
  { options }: Invocation,
  begin: (desk: RagDesk['desk']['vault']) => Promise<JobView>,
  tell: (job: JobView) => string,
): Promise<number> {
  const job = await withRag(options, async (rag) => follow(rag, await begin(rag.desk.vault)));
  if (options.json) printJson(job);
  else if (job.state === 'done') {
    print(tell(job));
    for (const { path, code, message } of job.progress.failures) {
      const label = paint('yellow', code === 'vault_away' ? 'away:' : 'note:', process.stderr);
      say(`${label} ${path === '' ? '' : `${peerShown(path)}: `}${asTyped(plain(message))}`);
    }
  } else say(job.error === null ? 'It goes on in the node.' : asTyped(plain(job.error.message)));
  return codeOf([job]);
}

const syncedText = ({ kb, progress: { totals, removed, of } }: JobView): string =>
  `${kb}: ${formatPlural(of ?? 0, 'part')} on the disks of peers; ${formatCount(totals.done)} new or changed, ${formatCount(removed)} erased, ${formatBytes(totals.bytes)} sent`;
const movedText = ({ kb, progress: { totals } }: JobView): string =>
  `${kb}: ${formatPlural(totals.files, 'block')} looked at, ${formatPlural(totals.done, 'copy', 'copies')} made`;

export const place: Handler = async (invocation) => {
  const { options } = invocation;
  const eves = listed(options.eve);
  if (eves.length === 0)
    throw new UsageError(
      'Say who is to keep it: --eve PEER, several times. kith vpk discover lists who lends space.',
    );
  const passphrase = await vaultPassphrase(options, 'new');
  const order: PlaceOrder = {
    ...passphrase,
    eves: await withRag(options, ({ desk }) => eveNames(desk.vault, null).places(eves)),
    ...(options.mode === undefined ? {} : { mode: String(options.mode) as NonNullable<PlaceOrder['mode']> }),
    ...(options.replicas === undefined ? {} : { replicas: Number(options.replicas) }),
    ...(options.days === undefined ? {} : { days: Number(options.days) }),
    ...(options.quota === undefined ? {} : { quotaBytes: bytesOf(String(options.quota)) }),
  };
  if (order.mode !== undefined)
    tellWarning((await import('../../vault/index.ts')).noteOf(order.mode).warning);
  const code = await done(invocation, (vault) => vault.place(kbOf(invocation), order, never), syncedText);
  if (eves.length === 1) tellOneCopy(invocation);
  return code;
};

function tellOneCopy(invocation: Invocation): void {
  if (invocation.options.json !== true)
    say(
      asTyped(
        `There is one copy: if that peer loses it, it is lost. Add another: kith vpk rebalance ${kbOf(invocation)} --add PEER`,
      ),
    );
}

/** `perturbed (weak)`: the mode with what is to be known of it. */
const modeShown = ({ mode, label, passphrase }: Pick<PlacedView, 'mode' | 'label' | 'passphrase'>): string =>
  `${label === null ? mode : `${mode} (${plain(label)})`}${passphrase ? ', passphrase' : ''}`;

/** What is to be known of a mode before it is relied upon. */
function tellWarning(warning: string | null): void {
  if (warning !== null) say(`${paint('yellow', 'warning:', process.stderr)} ${asTyped(plain(warning))}`);
}

const UNITS = { kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 } as const;
function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/iu.exec(text.trim());
  const unit = (match?.[2] ?? '').toLowerCase();
  const factor = unit === '' || unit === 'b' ? 1 : UNITS[unit as keyof typeof UNITS];
  if (match === null || factor === undefined)
    throw new UsageError(`Say the space as a size such as 500MB, not '${text}'.`);
  return Math.round(Number(match[1]) * factor);
}

export const sync: Handler = (invocation) =>
  done(invocation, (vault) => vault.sync(kbOf(invocation)), syncedText);

export const repair: Handler = (invocation) =>
  done(invocation, (vault) => vault.repair(kbOf(invocation)), movedText);

export const rebalance: Handler = async (invocation) => {
  const { options } = invocation;
  const [add, drop, operators] = await withRag(options, ({ desk }) => {
    const own = eveNames(desk.vault, kbOf(invocation));
    return Promise.all([
      eveNames(desk.vault, null).places(listed(options.add)),
      own.peers(listed(options.drop)),
      own.places(listed(options.eve)),
    ]);
  });
  const mode = options.mode === undefined ? undefined : (String(options.mode) as PlacedView['mode']);
  const order = {
    ...{ add, drop, operators },
    ...(mode === undefined ? {} : { mode }),
    ...(options.quota === undefined ? {} : { quotaBytes: bytesOf(String(options.quota)) }),
    ...(options.replicas === undefined ? {} : { replicas: Number(options.replicas) }),
    ...(options.days === undefined ? {} : { days: Number(options.days) }),
  };
  if (mode !== undefined) tellWarning((await import('../../vault/index.ts')).noteOf(mode).warning);
  const told = (job: JobView) => (job.what === 'copies at peers' ? movedText(job) : syncedText(job));
  const code = await done(invocation, (vault) => vault.change(kbOf(invocation), order, never), told);
  if (drop.length === 0 || code !== exitCode.ok) return code;
  const left = (await withRag(options, ({ desk }) => desk.vault.placed())).find(
    ({ kb }) => kb === kbOf(invocation),
  );
  if (left?.eves.length === 1) tellOneCopy(invocation);
  return code;
};

/** More space, or less, at all of its Eves: all are asked before one changes it. */
export const resize: Handler = async (invocation) => {
  const size = String(invocation.args[1]);
  const order = { add: [], drop: [], quotaBytes: bytesOf(size) };
  const told = ({ kb }: JobView) => `${kb}: ${formatBytes(order.quotaBytes)} at each of its Eves`;
  return done(invocation, (vault) => vault.change(kbOf(invocation), order, never), told);
};

export const list: Handler = async ({ options }) => {
  const placed = await withRag(options, ({ desk }) => desk.vault.placed());
  if (options.json) printJson({ placed });
  else if (placed.length === 0)
    print(
      asTyped('No knowledge base is on the disks of peers. Place one: kith vpk tenant create KB --eve PEER'),
    );
  else {
    print(
      table([
        ['KNOWLEDGE BASE', 'MODE', 'COPIES', 'EVES', 'LAST', 'STATE'],
        ...placed.map(({ kb, replicas, eves, synced, stale, ...how }) => [
          ...[kb, modeShown(how), String(replicas), eves.map(eveShown).join(', ')],
          synced === null ? 'never' : day(synced),
          synced === null
            ? paint('yellow', 'not placed yet')
            : stale === true
              ? paint('yellow', 'changed since')
              : stale === null
                ? 'not here'
                : 'up to date',
        ]),
      ]),
    );
    for (const { kb, poor } of placed) tellPoor(kb, poor);
    for (const warning of new Set(placed.map((one) => one.warning))) tellWarning(warning);
  }
};

export const info: Handler = async (invocation) => {
  const { options } = invocation;
  const view = await withRag(options, ({ desk }) => desk.vault.info(kbOf(invocation), never));
  if (options.json) printJson(view);
  else {
    print(
      `${view.kb}: ${modeShown(view)}, ${formatPlural(view.replicas, 'copy', 'copies')}, state ${view.number}${view.stale === true ? paint('yellow', ', changed since') : ''}`,
    );
    print(
      table(
        [
          ['EVE', 'SCORE', 'STATE', 'USED', 'OF', 'BLOCKS', 'UNTIL'],
          ...view.tenants.map(({ peer, state, usedBytes, quotaBytes, blocks, until, trouble, standing }) => [
            eveShown(view.eves.find((eve) => eve.peer === peer) ?? { peer, operator: null }),
            scoreText(standing),
            state ?? paint('yellow', plain(trouble ?? 'away').slice(0, 60)),
            usedBytes === null ? '' : formatBytes(usedBytes),
            quotaBytes === null ? '' : formatBytes(quotaBytes),
            blocks === null ? '' : formatCount(blocks),
            until === null ? '' : day(until),
          ]),
        ],
        [3, 4, 5],
      ),
    );
    tellPoor(view.kb, view.poor);
    tellWarning(view.warning);
  }
  return view.tenants.some(({ state }) => state !== 'open') ? exitCode.degraded : exitCode.ok;
};

export const check: Handler = async (invocation) => {
  const { options } = invocation;
  const questions = options.questions === undefined ? 20 : Number(options.questions);
  const kb = kbOf(invocation);
  const [{ eves, forked }, placed] = await withRag(options, ({ desk: { vault } }) =>
    Promise.all([vault.check(kb, questions, never), vault.placed()]),
  );
  const named = placed.find((one) => one.kb === kb)?.eves ?? [];
  if (options.json) printJson({ eves, forked });
  else {
    for (const { peer, asked, failed, why, standing } of eves) {
      const said =
        failed === 0 && asked > 0
          ? `showed all ${asked} pieces`
          : `${paint('yellow', asked === 0 ? 'was not asked' : `${failed} of ${asked} pieces failed`)}${why === null ? '' : ` (${asTyped(plain(why))})`}`;
      const eve = named.find((one) => one.peer === peer) ?? { peer, operator: null };
      print(`${plain(eveShown(eve))}: ${said}; score ${scoreText(standing)}`);
    }
    tellForked(kb, forked);
    tellPoor(
      kb,
      eves.flatMap(({ peer, standing }) => (standing.poor ? [peer] : [])),
    );
  }
  return eves.some(({ failed, why }) => failed > 0 || why !== null) ? exitCode.degraded : exitCode.ok;
};

export const remove: Handler = async (invocation) => {
  const { options } = invocation;
  if (options.yes !== true)
    throw new UsageError(
      `What peers keep of ${kbOf(invocation)} is deleted; it stays here. Say so with --yes.`,
    );
  const { gone, left } = await withRag(options, ({ desk }) => desk.vault.remove(kbOf(invocation), never));
  if (options.json) printJson({ gone, left });
  else {
    print(`Deleted at ${formatPlural(gone.length, 'peer')}.`);
    for (const peer of left)
      say(
        `${peer} was away: a node that runs deletes it there when she is back; else she does when its time is over. She cannot read it.`,
      );
  }
  return left.length > 0 ? exitCode.degraded : exitCode.ok;
};

export const resolve: Handler = async (invocation) => {
  const { args, options } = invocation;
  const grant = await grantLineOf(options);
  if (grant !== null) return tellGranted(invocation, grant);
  const found = await withRag(options, async ({ desk }) =>
    desk.vault.find(await eveNames(desk.vault, null).peers(listed(args[0])), never),
  );
  if (options.json) printJson({ found });
  else if (found.length === 0)
    print(
      listed(args[0]).length > 0
        ? 'These peers keep nothing for the key of this node.'
        : 'No peer that announces that it lends space keeps anything for the key of this node. Name one that you know.',
    );
  else
    print(
      table([
        ['KNOWLEDGE BASE', 'ID', 'MODE', 'COPIES', 'FOUND AT'],
        ...found.map(({ name, id, replicas, eves, at, ...how }) => [
          ...[plain(name), id, modeShown(how), String(Math.min(replicas, eves.length))],
          at.map(peerShown).join(' '),
        ]),
      ]),
    );
  for (const warning of new Set(found.map((one) => one.warning))) tellWarning(warning);
};

export const restore: Handler = async ({ args, options }) => {
  const source = String(args[0]);
  const name = String(options.as ?? source);
  const folder = options.folder === undefined ? {} : { folder: absolute(String(options.folder)) };
  const line = await grantLineOf(options);
  const grant = line === null ? {} : { grant: line };
  const passphrase = await vaultPassphrase(options, 'known');
  const { job, kb } = await withRag(options, async (rag) => {
    const { vault } = rag.desk;
    const eves = await eveNames(vault, null).peers(listed(options.eve));
    const job = await follow(
      rag,
      await vault.restore(name, { source, eves, ...grant, ...passphrase, ...folder }, never),
    );
    return { job, kb: job.state === 'done' ? await rag.desk.show(name) : null };
  });
  const { error } = job;
  if (options.json) printJson(kb ?? job);
  else if (kb?.contents)
    print(
      `${name}: ${formatPlural(kb.contents.documents, 'document')}, ${formatPlural(kb.contents.chunks, 'passage')}, as they were placed`,
    );
  else if (error !== null) say(`${paint('red', 'error:', process.stderr)} ${asTyped(plain(error.message))}`);
  else if (job.state === 'cancelled') say('It was ended before its time, and nothing of it is left.');
  else say(asTyped(`The node goes on with it. How far it is: kith rag jobs ${name}`));
  return codeOf([job]);
};

export const status: Handler = async (invocation) => {
  const { options } = invocation;
  const node = await runningNode(options);
  const storage = await node.call<StorageView>('GET', '/kith/v1/storage');
  const placed = await withRag(options, ({ desk }) => desk.vault.placed());
  if (options.json) {
    printJson({ storage, placed });
    return exitCode.ok;
  }
  tellStorage(storage);
  return list(invocation);
};
