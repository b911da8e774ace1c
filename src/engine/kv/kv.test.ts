import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createKvCells, createPrefixCache, createSequence, type KvCells, type Sequence } from './index.ts';
import { HASH_CHUNK } from './sequence.ts';

const ints = (...values: number[]) => Int32Array.from(values);
const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
const held = (sequence: Sequence) => [...sequence.cells.subarray(0, sequence.length)];
const tokensOf = (sequence: Sequence) => [...sequence.tokens.subarray(0, sequence.length)];

function filled(cells: KvCells, tokens: Int32Array): Sequence {
  const sequence = createSequence(cells);
  assert.ok(sequence.append(tokens.length, tokens));
  return sequence;
}

describe('KV cells', () => {
  it('are taken from the lowest free index upwards by a new sequence', () => {
    const cells = createKvCells(100);
    const a = filled(cells, range(0, 40));
    const b = filled(cells, range(0, 10));
    assert.deepEqual(held(b), [...range(40, 50)]);
    a.truncate(30);
    const c = filled(cells, range(0, 12));
    assert.deepEqual(held(c), [...range(30, 40), 50, 51]);
    assert.equal(cells.highWater(), 52);
    b.dispose();
    c.dispose();
    assert.equal(cells.highWater(), 30);
    assert.equal(cells.free, 70);
  });

  it('ascend along a sequence as long as any is free above its last', () => {
    const cells = createKvCells(100);
    const a = filled(cells, range(0, 40));
    const b = filled(cells, range(0, 10));
    a.truncate(30);
    assert.ok(b.append(45));
    assert.deepEqual(held(b), [...range(40, 95)]);
    assert.ok(b.append(8));
    assert.deepEqual(held(b).slice(55), [95, 96, 97, 98, 99, 30, 31, 32]);
    assert.ok(a.append(3));
    assert.deepEqual(held(a).slice(30), [33, 34, 35]);
  });

  it('are all or nothing', () => {
    const cells = createKvCells(33);
    const a = filled(cells, range(0, 30));
    assert.equal(a.append(4), false);
    assert.equal(a.length, 30);
    assert.equal(cells.free, 3);
    assert.ok(a.append(3));
    assert.equal(cells.free, 0);
    assert.equal(cells.highWater(), 33);
    assert.ok(a.append(0));
  });

  it('refuse to be given back twice', () => {
    const cells = createKvCells(4);
    const out = new Int32Array(2);
    cells.take(2, out, 0, false);
    cells.release(out, 0, 2, false);
    assert.throws(() => cells.release(out, 0, 2, false), /nobody holds/);
    assert.throws(() => cells.retain(out, 0, 1, false), /nobody holds/);
  });
});

describe('A sequence', () => {
  it('shares cells with its fork and never takes a shared one back when rolled back', () => {
    const cells = createKvCells(16);
    const a = filled(cells, ints(1, 2, 3, 4));
    const b = a.fork(3);
    assert.deepEqual(held(b), [0, 1, 2]);
    assert.equal(cells.refs(0), 2);
    a.truncate(1);
    assert.equal(cells.free, 13, 'cell 3 came back, cells 1 and 2 are held by the fork');
    assert.ok(a.append(2, ints(8, 9)));
    assert.deepEqual(held(a), [0, 3, 4]);
    assert.deepEqual(tokensOf(b), [1, 2, 3]);
    a.dispose();
    a.dispose();
    b.dispose();
    assert.equal(cells.free, 16);
    assert.throws(() => a.append(1), /disposed/);
  });
});

describe('The prefix cache', () => {
  it('finds the longest common prefix, up to the limit, in resting and running sequences', () => {
    const cells = createKvCells(2000);
    const cache = createPrefixCache(cells);
    const prompt = range(0, 300);
    const resting = Int32Array.from(prompt);
    resting[170] = 9999;
    cache.insert(filled(cells, resting));
    const running = filled(cells, prompt.subarray(0, 250));
    assert.deepEqual(cache.match(prompt, 300, [])?.length, 170);
    const best = cache.match(prompt, 300, [running]);
    assert.equal(best?.length, 250);
    assert.equal(best?.sequence, running);
    assert.equal(cache.match(prompt, 64, [running])?.length, 64);
    assert.equal(cache.match(range(5, 100), 95, [running]), null);
  });

  it('keeps one entry for a conversation that grows', () => {
    const cells = createKvCells(200);
    const cache = createPrefixCache(cells);
    cache.insert(filled(cells, range(0, 50)));
    const next = cache.use(cache.match(range(0, 90), 90, [])!);
    assert.ok(next.append(40, range(50, 90)));
    cache.insert(next);
    assert.equal(cache.entries, 1);
    assert.equal(cells.free, 110);
    cache.insert(filled(cells, range(0, 70)));
    assert.equal(cache.entries, 1, 'what lies inside another entry is not kept');
    assert.equal(cells.free, 110);
    cache.clear();
    assert.equal(cells.free, 200);
  });

  it('evicts from the tail of what was used least, and never what runs', () => {
    const cells = createKvCells(300);
    const cache = createPrefixCache(cells);
    cache.insert(filled(cells, range(0, 100)));
    cache.insert(filled(cells, range(1000, 1100)));
    cache.use(cache.match(range(0, 100), 100, [])!).dispose();
    const running = cache.use(cache.match(range(1000, 1040), 40, [])!);
    running.truncate(20);
    cache.use(cache.match(range(0, 100), 100, [])!).dispose();
    assert.ok(cache.evict(150));
    assert.equal(cache.match(range(1000, 1100), 100, [])?.length, 50);
    assert.equal(cache.match(range(0, 100), 100, [])?.length, 100);
    assert.equal(cache.evict(281), false);
    assert.equal(cells.free, 280, 'only the 20 running cells are left');
    assert.deepEqual(tokensOf(running), [...range(1000, 1020)]);
    assert.equal(cells.pinned, 20);
  });

  it('gives up what each entry alone holds before what entries share, and that too when it must', () => {
    const cells = createKvCells(200);
    const cache = createPrefixCache(cells);
    const a = filled(cells, range(0, 60));
    const b = a.fork(50);
    assert.ok(b.append(10, range(500, 510)));
    cache.insert(a);
    cache.insert(b);
    assert.ok(cache.evict(150));
    assert.equal(cache.match(range(0, 60), 60, [])?.length, 50);
    assert.ok(cache.evict(170));
    assert.equal(cache.match(range(0, 60), 60, [])?.length, 18, 'in steps of 32 cells, from the tail');
    assert.ok(cache.evict(200));
    assert.equal(cache.entries, 0);
  });

  it('holds at most maxEntries and maxCells', () => {
    const cells = createKvCells(1000);
    const cache = createPrefixCache(cells, { maxEntries: 3, maxCells: 120 });
    for (let i = 0; i < 6; i++) {
      cache.insert(filled(cells, range(i * 100, i * 100 + 50)));
      assert.ok(cache.entries <= 3);
      assert.ok(1000 - cells.free <= 120);
    }
    assert.equal(cache.match(range(500, 550), 50, [])?.length, 50);
    assert.equal(cache.match(range(0, 50), 50, []), null);
  });

  it('survives equal chunk hashes of different tokens', () => {
    const cells = createKvCells(500);
    const cache = createPrefixCache(cells);
    const prompt = range(0, 100);
    const liar = filled(cells, range(5000, 5100));
    const honest = filled(cells, prompt.subarray(0, 40));
    for (let chunk = 0; chunk < 100 / HASH_CHUNK - 1; chunk++) {
      liar.hashes[chunk] = filled(createKvCells(100), prompt).hashes[chunk]!;
    }
    cache.insert(liar);
    cache.insert(honest);
    const found = cache.match(prompt, 100, []);
    assert.equal(found?.length, 40);
    assert.equal(found?.sequence, honest);
  });

  it('agrees with a naive search over many related prompts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 5 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 100 }),
        (stored, asked, cut) => {
          // Each choice stands for a run of 20 tokens, so that prompts share long prefixes of odd lengths.
          const expand = (choices: number[]) =>
            Int32Array.from(choices.flatMap((c, i) => [...range(0, 20)].map((t) => t + 100 * c + 1000 * i)));
          const cells = createKvCells(5000);
          const cache = createPrefixCache(cells);
          const running = stored.slice(0, 3).map((s) => filled(cells, expand(s)));
          for (const s of stored.slice(3)) cache.insert(filled(cells, expand(s)));
          const prompt = expand(asked);
          const limit = Math.min(cut, prompt.length);
          let naive = 0;
          for (const s of stored) {
            const other = expand(s);
            let at = 0;
            while (at < Math.min(limit, other.length) && other[at] === prompt[at]) at++;
            naive = Math.max(naive, at);
          }
          assert.equal(cache.match(prompt, limit, running)?.length ?? 0, naive);
        },
      ),
      { numRuns: 200 },
    );
  });
});

// Model: what each sequence should hold, and a memory in which every cell remembers the whole prefix it stands for.
interface Live {
  readonly sequence: Sequence;
  tokens: number[];
}
interface Model {
  live: Live[];
}
interface Real {
  readonly cells: KvCells;
  readonly cache: ReturnType<typeof createPrefixCache>;
  readonly memory: string[];
}

function check(model: Model, real: Real): void {
  const pinned = new Set<number>();
  for (const { sequence, tokens } of model.live) {
    assert.deepEqual(tokensOf(sequence), tokens);
    const own = held(sequence);
    assert.equal(new Set(own).size, own.length, 'a cell stands twice in one sequence');
    own.forEach((cell, p) => {
      assert.equal(real.memory[cell], tokens.slice(0, p + 1).join(), 'a shared cell was overwritten');
      assert.ok(real.cells.refs(cell) >= 1);
      pinned.add(cell);
    });
  }
  assert.equal(real.cells.pinned, pinned.size);
  assert.ok(real.cells.free >= 0 && real.cells.free + pinned.size <= real.cells.count);
  let unheld = 0;
  for (let cell = 0; cell < real.cells.count; cell++) if (real.cells.refs(cell) === 0) unheld++;
  assert.equal(real.cells.free, unheld);
}

function write(real: Real, live: Live, added: number[]): void {
  for (const token of added) {
    live.tokens.push(token);
    const cell = live.sequence.cells[live.tokens.length - 1]!;
    real.memory[cell] = live.tokens.join();
  }
}

type Step = fc.Command<Model, Real>;
const pick = (model: Model, index: number) => model.live[index % model.live.length]!;
const step = (name: string, run: (model: Model, real: Real) => void, needsLive = true): Step => ({
  check: (model) => !needsLive || model.live.length > 0,
  run: (model, real) => {
    run(model, real);
    check(model, real);
  },
  toString: () => name,
});

const token = fc.integer({ min: 0, max: 2 });
const commands = [
  fc.array(token, { maxLength: 70 }).map((tokens) =>
    step(
      `open ${tokens.length}`,
      (model, real) => {
        const match = real.cache.match(
          Int32Array.from(tokens),
          tokens.length,
          model.live.map((l) => l.sequence),
        );
        const sequence = match === null ? createSequence(real.cells) : real.cache.use(match);
        const live = { sequence, tokens: tokens.slice(0, match?.length ?? 0) };
        const rest = tokens.slice(live.tokens.length);
        const fits = real.cache.evict(rest.length);
        assert.equal(fits, real.cells.count - real.cells.pinned >= rest.length);
        assert.equal(sequence.append(rest.length, Int32Array.from(rest)), fits);
        if (fits) write(real, live, rest);
        model.live.push(live);
      },
      false,
    ),
  ),
  fc.tuple(fc.nat(), fc.array(token, { maxLength: 20 })).map(([i, added]) =>
    step(`append ${i} ${added.length}`, (model, real) => {
      const live = pick(model, i);
      if (live.sequence.append(added.length, Int32Array.from(added))) write(real, live, added);
      else assert.ok(real.cells.free < added.length);
    }),
  ),
  fc.tuple(fc.nat(), fc.nat()).map(([i, n]) =>
    step(`truncate ${i}`, (model) => {
      const live = pick(model, i);
      const length = n % (live.tokens.length + 1);
      live.sequence.truncate(length);
      live.tokens.length = length;
    }),
  ),
  fc.tuple(fc.nat(), fc.nat()).map(([i, n]) =>
    step(`fork ${i}`, (model) => {
      const live = pick(model, i);
      const length = n % (live.tokens.length + 1);
      model.live.push({ sequence: live.sequence.fork(length), tokens: live.tokens.slice(0, length) });
    }),
  ),
  fc.nat().map((i) =>
    step(`rest ${i}`, (model, real) => {
      const live = pick(model, i);
      model.live.splice(model.live.indexOf(live), 1);
      real.cache.insert(live.sequence);
    }),
  ),
  fc.nat().map((i) =>
    step(`dispose ${i}`, (model) => {
      const live = pick(model, i);
      model.live.splice(model.live.indexOf(live), 1);
      live.sequence.dispose();
    }),
  ),
  fc
    .nat({ max: 150 })
    .map((n) =>
      step(
        `evict ${n}`,
        (_, real) => assert.equal(real.cache.evict(n), real.cells.count - real.cells.pinned >= n),
        false,
      ),
    ),
];

describe('KV bookkeeping', () => {
  it('never shares wrongly, never loses a cell, whatever is done in whatever order', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), (steps) => {
        const cells = createKvCells(150);
        const real: Real = { cells, cache: createPrefixCache(cells, { maxEntries: 6 }), memory: [] };
        const model: Model = { live: [] };
        fc.modelRun(() => ({ model, real }), steps);
        for (const { sequence } of model.live) sequence.dispose();
        real.cache.clear();
        assert.equal(cells.free, 150);
        assert.equal(cells.pinned, 0);
      }),
      { numRuns: 150 },
    );
  });
});
