/** `kith models list|show|pull|add|verify|rm|import`. @module cli/commands/models */
import {
  type Config,
  formatBytes,
  formatCount,
  isKithError,
  messageOf,
  systemClock,
  systemRandom,
  writeFileAtomic,
} from '../../base/index.ts';
import { supportedArchitectures } from '../../engine/index.ts';
import {
  createModelStore,
  type ModelEntry,
  type ModelManifest,
  type ModelStore,
  type PartialBlocks,
  type Progress,
  writeListFile,
} from '../../models/index.ts';
import { connect } from '../client.ts';
import { exitCode } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { createProgress } from '../progress.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';

function openStore({ home, models }: Config): ModelStore {
  return createModelStore({
    home,
    registry: models.registry,
    hubUrl: models.hubUrl,
    clock: systemClock,
    random: systemRandom,
    log: quietLog(),
    architectures: supportedArchitectures,
  });
}

export interface StoreIo {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Runs `work` on the store with progress on stderr and Ctrl-C as a clean stop. */
export async function withStore<T>(
  { options }: Invocation,
  label: string,
  work: (store: ModelStore, io: StoreIo) => Promise<T>,
): Promise<T> {
  const { config } = settingsOf(options);
  using interrupt = onInterrupt();
  await using store = openStore(config);
  const view = createProgress();
  try {
    return await work(store, {
      signal: interrupt.signal,
      onProgress: (progress) => view.update(label, progress),
    });
  } finally {
    view.clear();
  }
}

/** One model as `--json` prints it. */
function entryJson({ manifest, state, path, verifiedAt, builtin, blocks }: ModelEntry) {
  const there = blocks === undefined ? {} : { blocks_here: blocks };
  return { ...manifest, state, path, verified_at: verifiedAt, builtin, ...there };
}

export const list: Handler = async (invocation) => {
  const entries = await withStore(invocation, '', (store) => store.list());
  if (invocation.options.json) {
    printJson(entries.map(entryJson));
    return;
  }
  const colours = { ready: 'green', blocks: 'yellow', partial: 'yellow', available: 'dim' } as const;
  const rows = entries.map(({ manifest, state }) => [
    manifest.id,
    manifest.task,
    manifest.family,
    manifest.quantisation,
    formatBytes(manifest.bytes),
    paint(colours[state], state),
  ]);
  print(table([['ID', 'TASK', 'FAMILY', 'TYPE', 'SIZE', 'STATE'], ...rows].map((row) => row.map(plainCell))));
};

/** Ids and families may come from files of others; the state carries our own colour codes. */
function plainCell(cell: string, column: number): string {
  return column === 5 ? cell : plain(cell);
}

export const show: Handler = async (invocation) => {
  const details = await withStore(invocation, '', (store) => store.show(String(invocation.args[0])));
  const { facts, hasGraph, ...entry } = details;
  if (invocation.options.json) {
    printJson({ ...entryJson(entry), converted: conversionOf(entry.manifest), has_graph: hasGraph, facts });
    return;
  }
  const { manifest } = entry;
  const converted = conversionOf(manifest);
  const rows: (readonly [string, string])[] = [
    ['id', manifest.id],
    ['name', manifest.name],
    ['task', manifest.task],
    ['family', manifest.family],
    ['type', manifest.quantisation],
    ...(converted === null
      ? []
      : [['converted', `from ${converted.from} to ${converted.quantisation}`] as const]),
    ['size', `${formatBytes(manifest.bytes)} (${formatCount(manifest.bytes)} bytes)`],
    ['blocks', `${manifest.blocks}, width ${formatCount(manifest.embedding)}`],
    ['context', `${formatCount(manifest.context)} tokens`],
    [
      'template',
      manifest.template === null ? 'none' : manifest.template === 'gguf' ? 'in the file' : 'in the manifest',
    ],
    ['licence', manifest.licence ?? 'unknown'],
    ['sha256', manifest.sha256],
    ['state', entry.state],
    ...(entry.blocks === undefined ? [] : [['here', hereOf(entry.blocks)] as const]),
    ['verified', entry.verifiedAt === null ? 'not yet' : new Date(entry.verifiedAt).toISOString()],
    ['path', entry.path ?? '-'],
    [
      'runs on',
      hasGraph ? 'Kith graphs, whole or by block ranges' : 'node-llama-cpp, whole on this machine only',
    ],
    ...manifest.sources.map((source): [string, string] => ['source', source.parts.join(' + ')]),
  ];
  print(table(rows.map(([name, value]) => [`  ${name}`, plain(value)])));
};

/** What is here of a model that is not here as a whole. */
function hereOf({ spans, embedding, head, bytes }: PartialBlocks): string {
  const parts = [
    ...spans.map(({ from, to }) => (to - from === 1 ? `block ${from}` : `blocks ${from} to ${to - 1}`)),
    ...(embedding ? ['embedding'] : []),
    ...(head ? ['head'] : []),
  ];
  return `${parts.length === 0 ? 'some tensors' : parts.join(', ')} (${formatBytes(bytes)})`;
}

/** How the GGUF came to be when it was not fetched as one. */
function conversionOf({ converted, sources }: ModelManifest): NonNullable<ModelManifest['converted']> | null {
  return converted ?? sources.find((source) => source.convert !== undefined)?.convert ?? null;
}

function report(invocation: Invocation, entry: ModelEntry, what: string): void {
  if (invocation.options.json) printJson(entryJson(entry));
  else {
    const { id, bytes, task } = entry.manifest;
    const use =
      task === 'embedding'
        ? `Use it with: kith embed -m ${id} "a text"`
        : task === 'rerank'
          ? `Searches are reranked by it with: kith config set knowledge.reranker ${id}`
          : `Talk to it with: kith chat ${id}`;
    print(asTyped(`${what} ${id} (${formatBytes(bytes)}). ${use}`));
  }
}

const idOption = ({ options }: Invocation) => (options.id === undefined ? {} : { id: String(options.id) });

/** What the user says of a file that may not say it itself. */
const described = (invocation: Invocation) => {
  const { name, licence } = invocation.options;
  return {
    ...idOption(invocation),
    ...(name === undefined ? {} : { name: String(name) }),
    ...(licence === undefined ? {} : { licence: String(licence) }),
  };
};

export const pull: Handler = async (invocation) => {
  const ref = String(invocation.args[0]);
  const entry = await withStore(invocation, ref, (store, io) =>
    store.pull(ref, { ...io, ...idOption(invocation) }),
  );
  report(invocation, entry, 'Got');
};

export const add: Handler = async (invocation) => {
  const file = String(invocation.args[0]);
  const entry = await withStore(invocation, file, (store, io) =>
    store.add(file, { ...io, ...described(invocation), link: invocation.options.link === true }),
  );
  report(invocation, entry, 'Added');
};

export const importModel: Handler = async (invocation) => {
  const input = String(invocation.args[0]);
  const quantisation = invocation.options.quantisation as 'F16' | 'Q8_0' | 'Q4_0';
  const entry = await withStore(invocation, input, (store, io) =>
    store.import(input, { ...io, ...described(invocation), quantisation }),
  );
  report(invocation, entry, 'Imported');
};

export const verify: Handler = async (invocation) => {
  const wanted = invocation.args[0] as string | undefined;
  const results = await withStore(invocation, wanted ?? 'models', async (store, io) => {
    const ids =
      wanted === undefined
        ? (await store.list())
            .filter(({ state }) => state === 'ready' || state === 'blocks')
            .map((entry) => entry.manifest.id)
        : [wanted];
    const done: { id: string; ok: boolean; message: string | null }[] = [];
    for (const id of ids) {
      try {
        await store.verify(id, io);
        done.push({ id, ok: true, message: null });
      } catch (error) {
        if (!isKithError(error) || error.code !== 'model_corrupt') throw error;
        done.push({ id, ok: false, message: messageOf(error) });
      }
    }
    return done;
  });
  if (invocation.options.json) printJson(results);
  else if (results.length === 0) print('No model is on this disk yet.');
  else
    for (const { id, ok, message } of results)
      print(
        `${ok ? paint('green', 'ok  ') : paint('red', 'fail')} ${id}${message ? `: ${asTyped(message)}` : ''}`,
      );
  return results.every((result) => result.ok) ? exitCode.ok : exitCode.failure;
};

/** The list of a model's tensors, for a node that fetches some of them. */
export const tensors: Handler = async (invocation) => {
  const id = String(invocation.args[0]);
  const made = await withStore(invocation, id, async (store, io) => {
    const list = await store.tensorList(id, io);
    const { manifest } = await store.get(id);
    return { manifest, list };
  });
  const { out } = invocation.options;
  const { root, sections } = made.list;
  if (out === undefined) {
    print(writeListFile(made).trimEnd());
    return;
  }
  await writeFileAtomic(String(out), writeListFile(made), { mode: 0o644 });
  if (invocation.options.json) printJson({ id, root, tensors: sections.length - 1, path: String(out) });
  else
    print(
      asTyped(
        `Wrote the ${sections.length - 1} tensors of ${id} to ${String(out)}; the list's name is ${root}`,
      ),
    );
};

export const remove: Handler = async (invocation) => {
  const id = String(invocation.args[0]);
  const unload = await unloader(settingsOf(invocation.options).config.home, id);
  let unloaded = await unload();
  const { freedBytes } = await withStore(invocation, id, (store, io) =>
    store.remove(id, { signal: io.signal }),
  );
  // A request may have loaded it again in between; now there is nothing left to load.
  unloaded = (await unload()) || unloaded;
  if (invocation.options.json) printJson({ id, freed_bytes: freedBytes, unloaded });
  else print(`Removed ${id}; ${formatBytes(freedBytes)} are free again.`);
};

/** Makes the running node, if there is one, let go of a model. */
async function unloader(home: string, id: string): Promise<() => Promise<boolean>> {
  const client = await connect(home);
  return async () => {
    try {
      return (await client?.unload(id)) ?? false;
    } catch (error) {
      // The file can go all the same: what the node has in memory it keeps until its end.
      if (!isKithError(error) || !['node_unreachable', 'route_not_found'].includes(error.code)) throw error;
      say(
        asTyped(
          `The running node could not be asked to let go of ${id}. Restart it: kith stop and kith start`,
        ),
      );
      return false;
    }
  };
}
