/** `kith calibrate`: what this machine can do. @module cli/commands/calibrate */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { type Config, formatBytes, formatPlural, formatRate, type Logger } from '../../base/index.ts';
import type { EngineDevices } from '../../engine/index.ts';
import type { ModelManifest } from '../../models/index.ts';
import { openRooms } from '../../node/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { measureText } from '../measure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { createProgress } from '../progress.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';

/** The share of free memory that the engine takes for weights and KV, as its own default does. */
const memoryShare = 0.8;

interface Fit {
  readonly id: string;
  readonly bytes: number;
  readonly blocks: number;
  /** Blocks whose weights fit into the budget. */
  readonly fitting: number;
}

interface ThreadFigure {
  readonly threads: number;
  readonly decode: number | null;
}

const run: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  if (typeof options.install === 'string') {
    const { installBackend } = await import('../backends.ts');
    await installBackend(config, options.install as 'cuda' | 'vulkan', signal);
  }
  const log = quietLog();
  const progress = createProgress();
  const model = (options.model as string | undefined) ?? config.models.default;
  let devices: EngineDevices;
  let fits: Fit[];
  {
    await using rooms = await openRooms(config, log);
    devices = await rooms.engine.devices(signal);
    const budget = memoryBudget(config, devices);
    fits = (await rooms.store.list())
      .filter(({ manifest }) => manifest.blocks > 0)
      .map(({ manifest }) => fitOf(manifest, budget));
  }
  const figures: ThreadFigure[] = [];
  if (options.measure !== false) {
    for (const threads of candidates(availableParallelism())) {
      if (!options.json) say(`Measuring ${model} with ${formatPlural(threads, 'thread')} ...`);
      figures.push({ threads, decode: await decodeRate(config, log, model, threads, signal, progress) });
    }
  }
  const best = recommended(figures);
  const memory = { total: totalmem(), free: freemem(), budget: memoryBudget(config, devices) };
  if (options.json) {
    printJson({
      cpu: { model: cpus()[0]?.model ?? null, cores: availableParallelism() },
      memory,
      devices,
      models: fits,
      measured: figures.map(({ threads, decode }) => ({ threads, decode_tokens_per_s: decode })),
      recommended: { threads: best, device: devices.active },
    });
    return;
  }
  print(
    `${paint('bold', 'CPU')}      ${plain(cpus()[0]?.model ?? 'unknown')}, ${availableParallelism()} cores`,
  );
  print(
    `${paint('bold', 'Memory')}   ${formatBytes(memory.free)} of ${formatBytes(memory.total)} free; the engine would take up to ${formatBytes(memory.budget)}`,
  );
  print(
    `${paint('bold', 'Engine')}   llama.cpp libraries ${devices.release}, computes on ${devices.active}${devices.repack ? ', CPU repacking on' : ''}`,
  );
  print(paint('bold', 'Devices'));
  print(
    table(
      devices.devices.map((each) => [
        `  ${plain(each.name)}`,
        plain(each.description),
        each.backend,
        `${formatBytes(each.memoryFree)} of ${formatBytes(each.memoryTotal)} free`,
      ]),
    ),
  );
  for (const { path, reason } of devices.skipped) print(paint('yellow', `  not usable: ${path}: ${reason}`));
  print(paint('bold', 'Blocks that fit'));
  print(
    table(
      fits.map((fit) => [`  ${plain(fit.id)}`, `${fit.fitting} of ${fit.blocks}`, formatBytes(fit.bytes)]),
    ),
  );
  if (best !== null) {
    print(paint('bold', `Decode speed of ${model}`));
    print(
      table(
        figures.map(({ threads, decode }) => [
          `  ${formatPlural(threads, 'thread')}`,
          formatRate(decode, 'tok'),
        ]),
      ),
    );
    const now = config.engine.threads;
    print(
      best === now
        ? `Recommended: ${formatPlural(best, 'thread')}, which is what is set.`
        : asTyped(
            `Recommended: ${formatPlural(best, 'thread')} (now ${now}). Set it with: kith config set engine.threads ${best}`,
          ),
    );
  }
};
export default run;

function memoryBudget(config: Config, devices: EngineDevices): number {
  if (config.engine.memoryBytes !== null) return config.engine.memoryBytes;
  const active = devices.devices.find((each) => each.name === devices.active && each.kind !== 'cpu');
  return Math.floor((active ? active.memoryFree : freemem()) * memoryShare);
}

/** Weights are spread evenly enough over blocks for an estimate; embedding and head count as part of them. */
function fitOf({ id, bytes, blocks }: ModelManifest, budget: number): Fit {
  return { id, bytes, blocks, fitting: Math.min(blocks, Math.floor(budget / (bytes / blocks))) };
}

function candidates(cores: number): number[] {
  return [...new Set([1, Math.ceil(cores / 2), cores - 1, cores])]
    .filter((count) => count >= 1)
    .sort((a, b) => a - b);
}

async function decodeRate(
  config: Config,
  log: Logger,
  model: string,
  threads: number,
  signal: AbortSignal,
  progress: ReturnType<typeof createProgress>,
): Promise<number | null> {
  await using rooms = await openRooms(
    { ...config, engine: { ...config.engine, threads } },
    log,
    (id, step) => {
      if (step.phase !== 'load') progress.update(id, step);
    },
  );
  await rooms.local.prepare(model, signal);
  progress.clear();
  const { decode } = await measureText(rooms.engine, model, { prompt: 32, tokens: 32, runs: 2 }, signal);
  return decode?.median ?? null;
}

/** The fewest threads within 5 % of the fastest: more would only take cores from other work. */
export function recommended(figures: readonly ThreadFigure[]): number | null {
  const fastest = Math.max(...figures.map((figure) => figure.decode ?? 0));
  if (!(fastest > 0)) return null;
  return figures.find((figure) => (figure.decode ?? 0) >= fastest * 0.95)!.threads;
}
