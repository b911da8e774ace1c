/** `kith shard calibrate`: what blocks of a model cost on this machine. @module cli/commands/shard-calibrate */
import {
  formatByteRate,
  formatBytes,
  formatDuration,
  formatPlural,
  isKithError,
  systemClock,
  systemRandom,
} from '../../base/index.ts';
import { keepCalibrations, calibrate as measure, openEngineRooms } from '../../node/index.ts';
import type { CalibrationView, WayView } from '../../server/index.ts';
import { connect } from '../client.ts';
import { onInterrupt } from '../interrupt.ts';
import { paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';

export const calibrate: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const model = (options.model as string | undefined) ?? config.models.default;
  if (!options.json) say(`Measuring blocks of ${plain(model)} ...`);
  let figures: CalibrationView;
  {
    // An engine of its own, so that what the node computes for others is not in its way in the same process.
    await using rooms = await openEngineRooms(config, quietLog());
    figures = await measure(
      { config, engine: rooms.engine, models: rooms.store, clock: systemClock, random: systemRandom },
      model,
      signal,
    );
  }
  await keepCalibrations(config.home, { models: [figures] });
  const { ways, problem } = await measuredWays(config.home, model);
  if (options.json) {
    printJson({ ...figures, ways, waysProblem: problem });
    return;
  }
  const { blocks, together, fitting, cells, msPerBlock } = figures;
  const count = blocks[1] - blocks[0];
  print(
    table([
      [
        '  measured',
        `${formatPlural(count, 'block')} of ${plain(model)}, from block ${blocks[0]}, on ${plain(figures.device)}, ${formatPlural(figures.threads, 'thread')}`,
      ],
      [
        '  a block',
        `${formatBytes(figures.blockBytes)}, loaded in ${formatDuration(figures.loadMsPerBlock)}`,
      ],
      ['  a token', `${formatDuration(msPerBlock)} a block`],
      ['  a prompt', `${Math.round(figures.promptRowsPerSecond)} rows a second through a block`],
      ['  fit', `${formatPlural(fitting, 'block')} with ${cells} KV cells`],
      ...(fitting === 0
        ? []
        : [
            [
              '  then',
              `${Number((1000 / (fitting * msPerBlock)).toPrecision(3))} tokens a second through ${fitting === 1 ? 'it' : 'all of them'}`,
            ],
          ]),
    ]),
  );
  print(paint('bold', 'Sessions at once'));
  print(
    table(
      together.map(({ rows, ms }) => [
        `  ${rows}`,
        `${formatDuration(ms)} a block`,
        `${Number((rows / (ms / together[0]!.ms)).toPrecision(3))} x the tokens of one`,
      ]),
    ),
  );
  if (ways.length > 0) {
    print(paint('bold', 'Ways to peers that serve it'));
    print(
      table(
        ways.map(({ peer, rttMs, bytesPerSecond }) => [
          `  ${peer}`,
          formatDuration(rttMs),
          formatByteRate(bytesPerSecond),
        ]),
      ),
    );
  } else if (problem !== null) say(`No ways to peers were measured: ${plain(problem)}`);
};

/** By the node that runs: it has the links. */
async function measuredWays(
  home: string,
  model: string,
): Promise<{ ways: readonly WayView[]; problem: string | null }> {
  const node = await connect(home);
  if (node === null) return { ways: [], problem: 'no node is running.' };
  try {
    const { ways } = await node.call<{ ways: WayView[] }>('POST', '/kith/v1/shards/calibration/ways', {
      body: { model },
    });
    return { ways, problem: ways.length === 0 ? 'no peer that may be used serves blocks of it.' : null };
  } catch (error) {
    if (!isKithError(error)) throw error;
    return { ways: [], problem: error.message };
  }
}
