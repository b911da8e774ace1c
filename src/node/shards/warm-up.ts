/**
 * The first passes through blocks that were just loaded: they bring pages and graphs into being, so that no peer waits for
 * that, and tell how long a token takes.
 *
 * @module node/shards/warm-up
 */
import type { Clock } from '../../base/index.ts';
import type { Engine } from '../../engine/index.ts';

const PROMPT_ROWS = 16;
const STEPS = 12;
const WARM = 3;

/**
 * @param width values of a row
 * @returns ms of one token through all the blocks, alone and with little context: the median of some
 */
export async function warmUp(
  engine: Pick<Engine, 'lease'>,
  id: string,
  width: number,
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal,
): Promise<number> {
  await using lease = await engine.lease(id, PROMPT_ROWS + STEPS, { holder: 'warm-up', signal });
  const rows = (count: number) => Float32Array.from({ length: count * width }, (_, i) => Math.sin(i));
  const cells = (from: number, count: number) => Int32Array.from({ length: count }, (_, i) => from + i);
  const pass = (start: number, count: number) =>
    lease.step(
      [{ start, count, after: start - 1, cells: cells(start, count), outputs: 'all' }],
      rows(count),
      signal,
    );
  await pass(0, PROMPT_ROWS);
  const times: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const from = clock.monotonic();
    await pass(PROMPT_ROWS + i, 1);
    if (i >= WARM) times.push(clock.monotonic() - from);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
