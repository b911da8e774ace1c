/**
 * Answers over a path of two ranges on this machine, recorded: what each range received and sent, in which passes.
 *
 * @module bench/audits/record
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { type Carry, createEngine, type Engine, type EngineOptions } from '../../src/engine/index.ts';
import type { Piece } from '../../src/shards/audit/trail.ts';
import type { ActivationType } from '../../src/shards/index.ts';
import { activationBytes, readActivations, writeActivations } from '../../src/shards/wire/activations.ts';

/** What one range made of one sequence. */
export interface Recorded {
  readonly pieces: readonly Piece[];
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** Rows that the owner sees where the range is the last one. */
  readonly wanted: readonly number[];
}

export const openEngine = (kvType: EngineOptions['kvType'], threads = 1): Engine =>
  createEngine({
    ...{ device: 'cpu', threads, kvType, context: 512, speculation: 'off' },
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
  });

export async function loadRange(engine: Engine, path: string, from: number, to: number): Promise<string> {
  const id = `blocks ${from}-${to}`;
  await engine.load({ id, path, range: { from, to, embed: false, head: false } });
  return id;
}

function travelled(type: ActivationType, rows: Float32Array, width: number): Float32Array {
  if (type === 'f32') return rows;
  const count = rows.length / width;
  const bytes = new Uint8Array(activationBytes(type, count, width));
  writeActivations(type, rows, width, bytes, 0);
  return readActivations(type, count, width, bytes, 0);
}

/**
 * @param engine computes both ranges, which it has loaded as `ids`
 * @param type how rows travel to each
 */
export async function recordAnswers(
  engine: Engine,
  path: string,
  ids: readonly string[],
  blocks: number,
  prompts: readonly string[],
  tokens: number,
  type: ActivationType = 'f32',
): Promise<Recorded[][]> {
  const leases = await Promise.all(ids.map((id) => engine.lease(id, 512)));
  let steps: { pieces: Piece[]; came: Float32Array[]; sent: Float32Array[]; last: boolean }[] = [];
  const carry: Carry = async (parts, hidden, signal) => {
    const [part] = parts;
    if (part === undefined || parts.length !== 1) throw new Error('One sequence at a time is recorded.');
    const width = hidden.length / part.count;
    const came = [travelled(type, hidden, width)];
    const sent: Float32Array[] = [];
    const all = [{ ...part, outputs: 'all' as const }];
    for (const lease of leases) {
      sent.push(await lease.step(all, came.at(-1)!.slice(), signal));
      came.push(travelled(type, sent.at(-1)!, width));
    }
    steps.push({
      pieces: [{ start: part.start, count: part.count, each: false }],
      came,
      sent,
      last: part.outputs !== 'none',
    });
    const out = sent.at(-1)!;
    return part.outputs === 'last'
      ? out.slice(out.length - width)
      : part.outputs === 'none'
        ? new Float32Array(0)
        : out;
  };
  const id = `recorded ${type}`;
  await engine.load({ id, path, elsewhere: { from: 0, to: blocks, kvCells: 512 } }, { carry });
  const answers: Recorded[][] = [];
  for (const text of prompts) {
    steps = [];
    const asked = { prompt: { kind: 'text', text }, sampler: { temperature: 0 }, maxTokens: tokens } as const;
    for await (const _ of engine.generate({ model: id, ...asked, stop: [], cachePrompt: false }));
    const join = (all: readonly Float32Array[]) => {
      const joined = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const rows of all) {
        joined.set(rows, at);
        at += rows.length;
      }
      return joined;
    };
    const pieces = steps.flatMap((step) => step.pieces);
    const wanted = steps.flatMap(({ pieces: [piece], last }) =>
      last ? [piece!.start + piece!.count - 1] : [],
    );
    answers.push(
      ids.map((_, k) => ({
        pieces,
        input: join(steps.map(({ came }) => came[k]!)),
        output: join(steps.map(({ sent }) => sent[k]!)),
        wanted,
      })),
    );
  }
  for (const lease of leases) await lease[Symbol.asyncDispose]();
  await engine.unload(id);
  return answers;
}
