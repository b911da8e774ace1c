/**
 * How long an answer pauses when its last shard is lost late: what was computed is computed again by the substitute. And when
 * it leaves in order: its KV rows move.
 *
 * @module bench/shards/pause
 */
import type { PathEvent } from '../../src/shards/index.ts';
import { spread, table } from '../lib/stats.ts';
import { type BenchLab, promptOf } from './lab.ts';

/** Tokens that are compared with those of the whole; beyond, the two answers over peers are compared with each other. */
const COMPARED = 48;

export async function pauses(lab: BenchLab, rounds: number, tokens: number): Promise<void> {
  const lost: number[] = [];
  const moved: number[] = [];
  const cells: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const whole = await lab.once('whole', promptOf(16, round), COMPARED);
    let all = '';
    for (const way of ['lost', 'moved'] as const) {
      const events: PathEvent[] = [];
      const name = `${way} ${round}`;
      // The third peer, which has all blocks, takes the place of the second.
      const place = (from: number, to: number) => ({ ...lab.peers[2]!.offer, from, to });
      const path = await lab.addPath(name, 2, {
        events,
        substitute: async ({ from, to }, gone) =>
          gone.has(lab.peers[2]!.offer.peer) ? null : [place(from, to)],
        limits: { stallMs: 60_000 },
      });
      const { from, to } = path.shards()[1]!;
      let moving: Promise<unknown> = Promise.resolve();
      const answer = await lab.once(name, promptOf(16, round), tokens + 8, (count) => {
        if (count !== tokens) return;
        if (way === 'moved') moving = path.move(1, place(from, to));
        else path.drop(path.shards()[1]!.peer, 'the benchmark asks for it');
      });
      if (answer.tokens.length < tokens)
        throw new Error(
          `The answer ends after ${answer.tokens.length} tokens, before the shard is lost: take a lower --late, or another model.`,
        );
      await moving;
      const last = way === 'lost' ? 'recovered' : 'moved';
      while (!events.some(({ type }) => type === last))
        await new Promise((resolve) => setTimeout(resolve, 5));
      all ||= answer.tokens.join();
      if (answer.tokens.join() !== all || !all.startsWith(whole.tokens.join()))
        throw new Error('The tokens are not those of the whole.');
      for (const event of events) if (event.type === 'moved') cells.push(event.cells ?? 0);
      (way === 'lost' ? lost : moved).push(answer.pause);
      await path[Symbol.asyncDispose]();
      await lab.engine.unload(name);
    }
  }
  console.log(
    table(
      ['the last of 2 shards', `longest ms between two tokens, lost after ${tokens}`],
      [
        ['is lost; another computes again', spread(lost)],
        [`leaves; another takes ${Math.max(...cells)} KV cells`, spread(moved)],
      ],
    ),
  );
}
