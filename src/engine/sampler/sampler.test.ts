import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, InputError, KithError } from '../../base/index.ts';
import type { SamplerOptions } from '../types.ts';
import { createCandidates } from './candidates.ts';
import { createSampler, parseSamplerOptions, SAMPLER_DEFAULTS } from './index.ts';

const NEUTRAL: SamplerOptions = { ...SAMPLER_DEFAULTS, temperature: 1, topK: 0, topP: 1, minP: 0 };
const row = (...values: number[]) => Float32Array.from(values);

/** Random logits with a peak or two, from a fixed seed. */
function logitsOf(seed: number, vocab: number, spread = 4): Float32Array {
  const random = createSeededRandom(seed);
  return Float32Array.from(
    { length: vocab },
    () => (random.float() + random.float() + random.float() - 1.5) * spread,
  );
}

/** The plain way: sort everything, renormalise after each step. Probability per token, and how close a cut came to a tie. */
function reference(logits: Float32Array, options: SamplerOptions, history: readonly number[] = []) {
  const changed = Float32Array.from(logits);
  for (const [token, bias] of options.logitBias)
    changed[token]! += bias === -100 ? Number.NEGATIVE_INFINITY : bias;
  const window =
    options.repeatLastN === -1
      ? history
      : history.slice(history.length - Math.min(history.length, options.repeatLastN));
  for (const token of new Set(window)) {
    const count = window.filter((other) => other === token).length;
    const logit = changed[token]!;
    const repeated = logit > 0 ? logit / options.repeatPenalty : logit * options.repeatPenalty;
    changed[token] = repeated - options.presencePenalty - count * options.frequencyPenalty;
  }
  let kept = [...changed]
    .map((logit, token) => ({ token, logit }))
    .filter(({ logit }) => logit !== Number.NEGATIVE_INFINITY);
  kept.sort((a, b) => b.logit - a.logit || a.token - b.token);
  if (options.temperature === 0) return { probabilities: new Map([[kept[0]!.token, 1]]), margin: 1 };
  if (options.topK > 0) kept = kept.slice(0, options.topK);
  const max = kept[0]!.logit;
  let list = kept.map(({ token, logit }) => ({ token, p: Math.exp((logit - max) / options.temperature) }));
  const normalise = () => {
    const sum = list.reduce((total, { p }) => total + p, 0);
    list = list.map(({ token, p }) => ({ token, p: p / sum }));
  };
  let margin = 1;
  normalise();
  if (options.topP < 1) {
    let sum = 0;
    let end = 0;
    while (end < list.length) {
      sum += list[end++]!.p;
      margin = Math.min(margin, Math.abs(sum - options.topP));
      if (sum >= options.topP) break;
    }
    list = list.slice(0, end);
    normalise();
  }
  const best = list[0]!.p;
  for (const { p } of list) margin = Math.min(margin, Math.abs(p / best - options.minP));
  list = list.filter(({ p }) => p / best >= options.minP);
  normalise();
  return { probabilities: new Map(list.filter(({ p }) => p > 0).map(({ token, p }) => [token, p])), margin };
}

/** Chi-square statistic of `draws` samples against expected probabilities; bins under 5 expected are pooled. */
function chiSquare(
  options: SamplerOptions,
  logits: Float32Array,
  draws: number,
): { statistic: number; freedom: number } {
  const { probabilities } = reference(logits, options);
  const sampler = createSampler(options, logits.length);
  const seen = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const { token } = sampler.sample(Float32Array.from(logits));
    assert.ok(probabilities.has(token), `token ${token} should have been cut`);
    seen.set(token, (seen.get(token) ?? 0) + 1);
  }
  let statistic = 0;
  let bins = 0;
  let rest = { expected: 0, seen: 0 };
  for (const [token, p] of probabilities) {
    const expected = p * draws;
    if (expected < 5) {
      rest = { expected: rest.expected + expected, seen: rest.seen + (seen.get(token) ?? 0) };
      continue;
    }
    statistic += ((seen.get(token) ?? 0) - expected) ** 2 / expected;
    bins++;
  }
  if (rest.expected >= 5) {
    statistic += (rest.seen - rest.expected) ** 2 / rest.expected;
    bins++;
  }
  return { statistic, freedom: bins - 1 };
}

describe('The sampler', () => {
  const cases: Record<string, Partial<SamplerOptions>> = {
    'plain softmax': {},
    'a low temperature': { temperature: 0.3 },
    'a high temperature': { temperature: 3 },
    'top-k': { topK: 7 },
    'top-p over the whole vocabulary': { topP: 0.6 },
    'min-p over the whole vocabulary': { minP: 0.2 },
    'the defaults': { ...SAMPLER_DEFAULTS },
    'everything at once': {
      temperature: 1.4,
      topK: 20,
      topP: 0.9,
      minP: 0.1,
      logitBias: [
        [3, 2],
        [5, -100],
      ],
    },
  };
  for (const [name, options] of Object.entries(cases)) {
    it(`draws as the exact distribution says with ${name}`, () => {
      const all = { ...NEUTRAL, ...options, seed: 77 };
      const { statistic, freedom } = chiSquare(all, logitsOf(5, 60, 3), 20_000);
      // Mean + 4 standard deviations of the chi-square distribution; seeds are fixed, so this never flickers.
      assert.ok(freedom >= 3);
      assert.ok(
        statistic < freedom + 4 * Math.sqrt(2 * freedom),
        `${statistic} with ${freedom} degrees of freedom`,
      );
    });
  }

  it('keeps exactly the candidates, with the probabilities, of a full sort', () => {
    const logit = fc.oneof(
      fc.float({ min: -12, max: 12, noNaN: true }),
      fc.constantFrom(0, -0, 1, 5, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 1, maxLength: 200 }),
        fc.record({
          temperature: fc.constantFrom(0.01, 0.5, 1, 2.5),
          topK: fc.constantFrom(0, 1, 2, 5, 40, 300),
          topP: fc.constantFrom(0, 0.1, 0.5, 0.9, 0.999, 1),
          minP: fc.constantFrom(0, 0.01, 0.3, 1),
        }),
        (values, filters) => {
          const logits = Float32Array.from(values);
          fc.pre(logits.some((value) => value !== Number.NEGATIVE_INFINITY));
          const { probabilities, margin } = reference(logits, { ...NEUTRAL, ...filters });
          // A sum that meets topP, or a ratio that meets minP, in its last digit may fall on either side.
          fc.pre(margin > 1e-12 || filters.minP === 1 || filters.minP === 0);
          const candidates = createCandidates(filters, logits.length);
          const count = candidates.select(logits);
          let total = 0;
          for (let i = 0; i < count; i++) total += candidates.weights[i]!;
          const got = new Map<number, number>();
          for (let i = 0; i < count; i++) {
            if (candidates.weights[i]! > 0) got.set(candidates.ids[i]!, candidates.weights[i]! / total);
          }
          if (margin <= 1e-12 && filters.topP > 0 && filters.topP < 1) return;
          assert.deepEqual(
            [...got.keys()].sort((a, b) => a - b),
            [...probabilities.keys()].sort((a, b) => a - b),
          );
          for (const [token, p] of got) assert.ok(Math.abs(p - probabilities.get(token)!) < 1e-9);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('sorts large candidate sets as it does small ones', () => {
    const logits = logitsOf(9, 5000, 2);
    for (const filters of [
      { topK: 1500 },
      { topK: 2000, topP: 0.7 },
      { topP: 0.9 },
      { topP: 0.97, minP: 0.001 },
    ]) {
      const options = { ...NEUTRAL, temperature: 2, ...filters };
      const { probabilities } = reference(logits, options);
      const candidates = createCandidates(options, 5000);
      const count = candidates.select(logits);
      assert.ok(count > 1024 || count === probabilities.size);
      assert.deepEqual([...candidates.ids.subarray(0, count)], [...probabilities.keys()]);
    }
  });

  it('is greedy at temperature 0, the lowest token winning a tie', () => {
    const greedy = createSampler({ temperature: 0 }, 5);
    assert.equal(greedy.sample(row(1, 3, 2, 3, -9)).token, 1);
    assert.equal(greedy.sample(row(Number.NEGATIVE_INFINITY, -5, -4, -4, -9)).token, 2);
    assert.equal(createSampler({ ...NEUTRAL, topK: 1 }, 5).sample(row(1, 3, 2, 3, 3)).token, 1);
  });

  it('repeats itself with the same seed and differs with another', () => {
    const run = (seed: number) => {
      const sampler = createSampler(
        { ...SAMPLER_DEFAULTS, temperature: 2, seed, frequencyPenalty: 0.5 },
        500,
      );
      return Array.from({ length: 60 }, (_, i) => sampler.sample(logitsOf(i, 500)).token);
    };
    assert.deepEqual(run(1), run(1));
    assert.notDeepEqual(run(1), run(2));
  });

  it('divides positive and multiplies negative logits by the repeat penalty, once per token', () => {
    const sampler = createSampler({ ...NEUTRAL, temperature: 0, repeatPenalty: 2 }, 4);
    sampler.accept([0, 0, 3]);
    const logits = row(3, 1, 1.6, -1);
    assert.equal(sampler.sample(logits).token, 2);
    assert.deepEqual([...logits], [1.5, 1, Math.fround(1.6), -2]);
  });

  it('subtracts presence once and frequency per occurrence inside the window', () => {
    const sampler = createSampler(
      { ...NEUTRAL, temperature: 0, presencePenalty: 0.5, frequencyPenalty: 0.25, repeatLastN: 4 },
      4,
    );
    sampler.accept([3, 3, 0, 1, 1, 1]);
    const logits = row(2, 2, 2, 2);
    assert.equal(sampler.sample(logits).token, 2);
    assert.deepEqual([...logits], [1.25, 0.75, 2, 2], 'the two 3s have left the window');
    const next = row(2, 2, 2, 2);
    assert.equal(sampler.sample(next).token, 0);
    assert.deepEqual([...next], [2, 0.75, 1.25, 2], 'the sampled 2 came in, the 0 went out');
  });

  it('gives the reference distribution with penalties, whatever the history', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(7), { maxLength: 30 }),
        fc.constantFrom(-1, 0, 1, 5, 64),
        fc.constantFrom(0.8, 1, 1.3),
        fc.constantFrom(-0.5, 0, 1.5),
        fc.constantFrom(-0.2, 0, 0.7),
        (history, repeatLastN, repeatPenalty, presencePenalty, frequencyPenalty) => {
          const options = {
            ...NEUTRAL,
            temperature: 0,
            repeatLastN,
            repeatPenalty,
            presencePenalty,
            frequencyPenalty,
          };
          const logits = logitsOf(history.length, 8, 1);
          const sampler = createSampler(options, 8);
          sampler.accept(Int32Array.from(history.slice(0, 10)));
          sampler.accept(history.slice(10));
          const expected = [...reference(logits, options, history).probabilities.keys()][0];
          assert.equal(sampler.sample(Float32Array.from(logits)).token, expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('adds biases, bans at -100 and refuses tokens outside the vocabulary', () => {
    const biased = createSampler(
      {
        temperature: 0,
        logitBias: [
          [2, 5],
          [0, -100],
        ],
      },
      3,
    );
    assert.equal(biased.sample(row(500, 6, 2)).token, 2);
    assert.throws(() => createSampler({ logitBias: [[3, 1]] }, 3), /token 3/);
  });

  it('lets a mask decide after the penalties', () => {
    const seen: number[] = [];
    const mask = (logits: Float32Array) => {
      seen.push(logits[1]!);
      logits.fill(Number.NEGATIVE_INFINITY, 1);
    };
    const sampler = createSampler({ ...NEUTRAL, logitBias: [[1, 4]] }, 3, { mask });
    assert.equal(sampler.sample(row(-5, 9, 9)).token, 0);
    assert.deepEqual(seen, [13]);
  });

  it('reports log probabilities of the raw distribution, not of the changed one', () => {
    const logits = row(1, 2, 3, 0);
    const norm = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3) + 1);
    for (const temperature of [0, 0.01]) {
      const sampler = createSampler({ temperature, topLogprobs: 2, logitBias: [[2, -100]] }, 4);
      const { token, logprobs } = sampler.sample(Float32Array.from(logits));
      assert.equal(token, 1);
      assert.ok(Math.abs(logprobs!.logprob - (2 - norm)) < 1e-12);
      assert.deepEqual(
        logprobs!.top.map(([id]) => id),
        [2, 1],
      );
      assert.ok(Math.abs(logprobs!.top[0]![1] - (3 - norm)) < 1e-12);
    }
    const none = createSampler({ temperature: 0, topLogprobs: 0 }, 4).sample(Float32Array.from(logits));
    assert.deepEqual(none.logprobs!.top, []);
    assert.equal(createSampler({ temperature: 0 }, 4).sample(Float32Array.from(logits)).logprobs, null);
  });

  it('refuses rows that no model should compute, whatever the settings', () => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    const rows = [row(1, nan, 2), row(nan, nan, nan), row(1, inf, 2), row(-inf, -inf, -inf), row(2, 1, nan)];
    const settings: Partial<SamplerOptions>[] = [
      { temperature: 0 },
      { ...NEUTRAL },
      { ...NEUTRAL, topK: 1 },
      { ...NEUTRAL, topK: 2 },
      { ...NEUTRAL, topP: 0.5 },
      { ...NEUTRAL, topLogprobs: 2 },
    ];
    for (const logits of rows) {
      for (const options of settings) {
        assert.throws(
          () => createSampler(options, 3).sample(Float32Array.from(logits)),
          (error) => error instanceof KithError && error.code === 'logits_invalid',
          `${[...logits]} with ${JSON.stringify(options)}`,
        );
      }
    }
    assert.throws(() => createSampler({}, 3).sample(row(1, 2)), /2 logits came for a vocabulary of 3/);
  });
});

describe('Sampler options from outside', () => {
  it('pass through when they are in range', () => {
    const given = { temperature: 0, topK: 3, logitBias: [[5, -100]], seed: 4294967295, topLogprobs: null };
    assert.deepEqual(parseSamplerOptions({ ...given, topP: undefined }), given);
    assert.deepEqual(parseSamplerOptions({}), {});
  });

  it('are refused with the name and the range otherwise', () => {
    const bad: [unknown, string, RegExp][] = [
      [{ temperature: 6 }, 'temperature', /from 0 .* to 5; got 6/],
      [{ temperature: Number.NaN }, 'temperature', /from 0/],
      [{ topK: 1.5 }, 'topK', /integer/],
      [{ seed: -1 }, 'seed', /4294967295/],
      [{ topLogprobs: 21 }, 'topLogprobs', /0 to 20/],
      [{ logitBias: [[1, 101]] }, 'logitBias', /-100 \(ban\) to 100/],
      [{ logitBias: Array.from({ length: 2000 }, () => [1, 1]) }, 'logitBias', /at most/],
      [{ presencePenalty: '1' }, 'presencePenalty', /"1"/],
      [{ tempratur: 1 }, 'tempratur', /not a sampler option/],
    ];
    for (const [input, param, message] of bad) {
      assert.throws(
        () => parseSamplerOptions(input),
        (error) =>
          error instanceof InputError &&
          error.param === param &&
          message.test(error.message) &&
          error.status === 400,
        param,
      );
    }
    assert.throws(() => parseSamplerOptions(7), InputError);
    assert.throws(() => parseSamplerOptions(null), InputError);
  });
});
