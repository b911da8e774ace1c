/** `kith shard download`: the bytes of some blocks of a model, and no others. @module cli/commands/shard-download */
import { formatBytes, formatPlural, isKithError, isPeerId, readFileBounded } from '../../base/index.ts';
import {
  type BlockRange,
  MAX_LIST_BYTES,
  type ModelManifest,
  type ModelStore,
  readListFile,
} from '../../models/index.ts';
import type { FetchedWeights } from '../../server/index.ts';
import { connect } from '../client.ts';
import { UsageError } from '../failure.ts';
import { asTyped, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';
import { type StoreIo, withStore } from './models.ts';
import { weightsThrough } from './shard-weights.ts';

interface Wish {
  readonly start: number | null;
  readonly blocks: number | null;
  readonly ends: boolean;
}

interface Got {
  readonly manifest: ModelManifest;
  readonly range: BlockRange;
  readonly fetched: FetchedWeights;
}

function wishOf({ startBlock, blocks, ends }: Readonly<Record<string, unknown>>): Wish {
  if (startBlock === undefined && blocks === undefined && ends !== true)
    throw new UsageError(
      'Say which blocks: --start-block and --blocks; or --ends for embedding and head alone.',
    );
  return {
    start: startBlock === undefined ? null : Number(startBlock),
    blocks: blocks === undefined ? null : Number(blocks),
    ends: ends === true,
  };
}

function rangeOf({ start, blocks, ends }: Wish, manifest: ModelManifest): BlockRange {
  const none = start === null && blocks === null;
  const from = start ?? 0;
  const to = none ? 0 : blocks === null ? manifest.blocks : from + blocks;
  return { from, to, embedding: ends, head: ends };
}

export const download: Handler = async (invocation) => {
  const id = String(invocation.args[0]);
  const { options } = invocation;
  const wish = wishOf(options);
  const file = options.list === undefined ? null : String(options.list);
  const node = await connect(settingsOf(options).config.home);
  const { manifest, range, fetched } = await withStore(invocation, id, async (store, io): Promise<Got> => {
    if (file !== null) await takeList(store, file, id);
    const { manifest } = await store.get(id);
    const range = rangeOf(wish, manifest);
    const fetched =
      (node === null ? null : await weightsThrough(node, id, range, io)) ??
      (await fromSources(store, id, range, io));
    return { manifest, range, fetched };
  });
  const { path, fetchedBytes, requests, sources } = fetched;
  const { from, to } = range;
  if (options.json) {
    printJson({
      id,
      sha256: manifest.sha256,
      from,
      to,
      ends: wish.ends,
      path,
      fetched_bytes: fetchedBytes,
      requests,
      sources,
    });
    return;
  }
  const what = [
    ...(to > from ? [`blocks ${from} to ${to - 1}`] : []),
    ...(wish.ends ? ['embedding and head'] : []),
  ].join(', ');
  print(`${plain(id)}: ${what} of ${manifest.blocks} blocks are here, in ${plain(path)}`);
  if (fetchedBytes === 0) print('Nothing had to be fetched.');
  else {
    const share = `${formatBytes(fetchedBytes)} of ${formatBytes(manifest.bytes)}`;
    const whom = sources.map((source) => (isPeerId(source) ? `peer ${source}` : source)).join(', ');
    print(`Fetched ${share} in ${formatPlural(requests, 'request')} from ${plain(whom)}`);
  }
};

/** By this process. That no peer is asked is said when something has to be fetched, or cannot be. */
async function fromSources(
  store: ModelStore,
  id: string,
  range: BlockRange,
  { signal, onProgress }: StoreIo,
): Promise<FetchedWeights> {
  let isSaid = false;
  const tell = () => {
    if (!isSaid)
      say(
        asTyped(
          'No node of a swarm runs here, so that no peer is asked: the bytes come from the sources of the model alone.',
        ),
      );
    isSaid = true;
  };
  try {
    return await store.ensureBlocks(id, range, {
      signal,
      onProgress(progress) {
        if (progress.phase === 'download') tell();
        onProgress(progress);
      },
      download: true,
    });
  } catch (error) {
    if (isKithError(error) && UNOBTAINED.has(error.code)) tell();
    throw error;
  }
}

/** Codes of errors that a peer might have helped against. */
const UNOBTAINED: ReadonlySet<string> = new Set([
  'blocks_unobtainable',
  'model_not_installed',
  'tensor_list_missing',
]);

/** Keeps the owner's list; a model that is not known here yet is known from then on. */
async function takeList(store: ModelStore, path: string, id: string): Promise<void> {
  const text = new TextDecoder().decode(await readFileBounded(path, MAX_LIST_BYTES));
  const { manifest, list } = readListFile(text, path);
  await store.adopt(manifest.id === id ? manifest : (await store.get(id)).manifest, list);
}
