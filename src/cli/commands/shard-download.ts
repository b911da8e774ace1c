/** `kith shard download`: the bytes of some blocks of a model, and no others. @module cli/commands/shard-download */
import { formatBytes, formatPlural, readFileBounded } from '../../base/index.ts';
import {
  type BlockRange,
  MAX_LIST_BYTES,
  type ModelManifest,
  type ModelStore,
  readListFile,
} from '../../models/index.ts';
import { UsageError } from '../failure.ts';
import { plain, print, printJson } from '../output.ts';
import type { Handler } from '../program.ts';
import { withStore } from './models.ts';

interface Wish {
  readonly start: number | null;
  readonly blocks: number | null;
  readonly ends: boolean;
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
  const { range, got } = await withStore(invocation, id, async (store, io) => {
    const list = file === null ? undefined : await givenList(store, file, id);
    const { manifest } = await store.get(id);
    const wanted = rangeOf(wish, manifest);
    return { range: wanted, got: await store.ensureBlocks(id, wanted, { ...io, list, download: true }) };
  });
  const { path, manifest, fetchedBytes, requests, sources } = got;
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
    print(`Fetched ${share} in ${formatPlural(requests, 'request')} from ${plain(sources.join(', '))}`);
  }
};

/** Reads the owner's list; a model that is not known here yet is known from then on. */
async function givenList(store: ModelStore, path: string, id: string) {
  const text = new TextDecoder().decode(await readFileBounded(path, MAX_LIST_BYTES));
  const { manifest, list } = readListFile(text, path);
  if (manifest.id === id) await store.adopt(manifest);
  return list;
}
