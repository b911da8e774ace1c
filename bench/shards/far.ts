/**
 * A model over peers with links of a length: tokens per second against what the round trips allow.
 *
 * @module bench/shards/far
 */
import { median, spread, table } from '../lib/stats.ts';
import { type BenchLab, promptOf, type Speculation } from './lab.ts';

/** What KwaaiNet's own documents give, for comparison; measured there, not here. */
const KWAAINET = [
  'KwaaiNet publishes about 0.17 tokens/s over 2 hops, and 478 ms a token at a round trip of 158 ms. Those are figures of its',
  'own network, models and machines, as it gives them, and not measured here: the nearest rows are those of 150 ms.',
].join('\n');

export async function decodeFar(
  lab: BenchLab,
  rounds: number,
  tokens: number,
  rtts: readonly number[],
): Promise<void> {
  const near: number[] = [];
  const ways = [2, 3].flatMap((hops) =>
    rtts.flatMap((rttMs) =>
      (['off', 'auto'] as const).map((speculation: Speculation) => ({
        ...{ hops, rttMs, speculation },
        name: `${hops} over ${rttMs} ms, ${speculation}`,
        each: [] as number[],
      })),
    ),
  );
  for (const { name, hops, rttMs, speculation } of ways)
    await lab.addPath(name, hops, { rttMs, speculation });
  for (let round = -1; round < rounds; round++) {
    const whole = await lab.once('whole', promptOf(16, round), tokens);
    if (round >= 0) near.push(whole.each);
    for (const { name, each } of ways) {
      const answer = await lab.once(name, promptOf(16, round), tokens);
      if (answer.tokens.join() !== whole.tokens.join())
        throw new Error('The tokens are not those of the whole.');
      if (round >= 0) each.push(answer.each);
    }
  }
  const compute = median(near);
  console.log(
    table(
      [
        'peers',
        'round trip of each link, ms',
        'guesses',
        'ms a token',
        'tokens/s',
        'bound 1/(RTT x hops + compute)',
        'x bound',
      ],
      ways.map(({ hops, rttMs, speculation, each }) => {
        const bound = 1000 / (rttMs * hops + compute);
        const speed = each.map((ms) => 1000 / ms);
        return [
          String(hops),
          String(rttMs),
          speculation,
          spread(each),
          spread(speed),
          bound.toFixed(2),
          spread(speed.map((one) => one / bound)),
        ];
      }),
    ),
  );
  console.log(
    `\nEach message of a session waits half a round trip in the sending and in the receiving program (test/shards/delayed.ts); bandwidth is not bounded. ` +
      `Guesses come from the text before (prompts are of random tokens: only what an answer repeats is guessed right). Shards push to the next one, so a token takes half a round trip for each link and for the way back. Compute: ${compute.toFixed(1)} ms a token, whole.\n\n${KWAAINET}`,
  );
}
