import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type BreakerState, type BreakerTicket, createBreaker } from './breaker.ts';

function at(options: { failures?: number; openMs?: number; successes?: number } = {}) {
  const time = { now: 0 };
  const changes: BreakerState[] = [];
  const breaker = createBreaker({
    ...options,
    now: () => time.now,
    onChange: (state) => changes.push(state),
  });
  return { time, breaker, changes };
}

test('it opens on the fifth failure in a row, tries one call after 60 s, and closes after three successes', () => {
  const { time, breaker, changes } = at();
  for (let call = 0; call < 4; call++) breaker.settle(breaker.admit(), 'failure');
  breaker.settle(breaker.admit(), 'success');
  for (let call = 0; call < 5; call++) {
    assert.equal(breaker.state, 'closed');
    breaker.settle(breaker.admit(), 'failure');
  }
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.admit(), 0);
  assert.equal(breaker.waitMs, 60_000);
  time.now = 59_999;
  assert.equal(breaker.admits, false);
  time.now = 60_000;
  assert.equal(breaker.state, 'half_open');
  for (let success = 0; success < 3; success++) {
    assert.equal(breaker.state, 'half_open');
    const ticket = breaker.admit();
    assert.notEqual(ticket, 0);
    assert.equal(breaker.admit(), 0, 'one trial at a time');
    breaker.settle(ticket, 'success');
  }
  assert.deepEqual(changes, ['open', 'half_open', 'closed']);
});

test('a trial that fails opens it again for the whole time; a neutral one gives its place back', () => {
  const { time, breaker } = at({ failures: 1 });
  breaker.settle(breaker.admit(), 'failure');
  time.now = 60_000;
  breaker.settle(breaker.admit(), 'neutral');
  assert.equal(breaker.state, 'half_open');
  breaker.settle(breaker.admit(), 'failure');
  assert.equal(breaker.waitMs, 60_000);
});

test('calls from before it opened say nothing about the recovery', () => {
  const { time, breaker } = at({ failures: 1, successes: 1 });
  const [late, cause] = [breaker.admit(), breaker.admit()];
  breaker.settle(cause, 'failure');
  time.now = 60_000;
  const trial = breaker.admit();
  breaker.settle(late, 'success');
  assert.equal(breaker.state, 'half_open');
  breaker.settle(late, 'failure');
  breaker.settle(trial, 'success');
  assert.equal(breaker.state, 'closed');
});

test('it is closed by hand', () => {
  const { breaker } = at({ failures: 1 });
  breaker.settle(breaker.admit(), 'failure');
  breaker.reset();
  assert.equal(breaker.state, 'closed');
  assert.equal(breaker.failures, 0);
  assert.notEqual(breaker.admit(), 0);
});

/** What the documentation says, written as plainly as possible. */
interface Model {
  state: BreakerState;
  failures: number;
  successes: number;
  openedAt: number;
  now: number;
  stay: number;
  trial: boolean;
  tickets: { ticket: BreakerTicket; stay: number }[];
}
type Real = ReturnType<typeof at>;
const sizes = { failures: 3, openMs: 100, successes: 2 };

function enter(model: Model, state: BreakerState): void {
  Object.assign(model, { state, successes: 0, trial: false, stay: model.stay + 1 });
  if (state === 'open') model.openedAt = model.now;
  if (state === 'closed') model.failures = 0;
}

const isDue = (model: Model) => model.state === 'open' && model.now - model.openedAt >= sizes.openMs;

function compare(model: Model, { breaker }: Real): void {
  assert.equal(breaker.state, isDue(model) ? 'half_open' : model.state);
  assert.equal(breaker.failures, model.failures);
  assert.equal(
    breaker.admits,
    model.state === 'closed' || isDue(model) || (model.state === 'half_open' && !model.trial),
  );
}

class Admit implements fc.Command<Model, Real> {
  check = () => true;
  run(model: Model, real: Real): void {
    const ticket = real.breaker.admit();
    if (isDue(model)) enter(model, 'half_open');
    const expected = model.state === 'closed' || (model.state === 'half_open' && !model.trial);
    assert.equal(ticket !== 0, expected);
    if (expected && model.state === 'half_open') model.trial = true;
    if (expected) model.tickets.push({ ticket, stay: model.stay });
    compare(model, real);
  }
  toString = () => 'admit';
}

class Settle implements fc.Command<Model, Real> {
  readonly pick: number;
  readonly outcome: 'success' | 'failure' | 'neutral';
  constructor(pick: number, outcome: 'success' | 'failure' | 'neutral') {
    this.pick = pick;
    this.outcome = outcome;
  }
  check = (model: Readonly<Model>) => model.tickets.length > 0;
  run(model: Model, real: Real): void {
    const [{ ticket, stay }] = model.tickets.splice(this.pick % model.tickets.length, 1) as [
      Model['tickets'][number],
    ];
    real.breaker.settle(ticket, this.outcome);
    if (stay === model.stay) {
      if (model.state === 'closed') {
        if (this.outcome === 'success') model.failures = 0;
        if (this.outcome === 'failure' && ++model.failures === sizes.failures) enter(model, 'open');
      } else {
        model.trial = false;
        if (this.outcome === 'failure') enter(model, 'open');
        if (this.outcome === 'success' && ++model.successes === sizes.successes) enter(model, 'closed');
      }
    }
    compare(model, real);
  }
  toString = () => `settle(${this.pick}, ${this.outcome})`;
}

class Pass implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    model.now += this.ms;
    real.time.now += this.ms;
    compare(model, real);
  }
  toString = () => `pass(${this.ms})`;
}

class Reset implements fc.Command<Model, Real> {
  check = () => true;
  run(model: Model, real: Real): void {
    real.breaker.reset();
    enter(model, 'closed');
    compare(model, real);
  }
  toString = () => 'reset';
}

test('it does what its state machine says, whatever the order of calls', () => {
  const commands = fc.commands(
    [
      fc.constant(new Admit()),
      fc
        .tuple(
          fc.nat(20),
          fc.constantFrom('success' as const, 'failure' as const, 'failure' as const, 'neutral' as const),
        )
        .map(([pick, outcome]) => new Settle(pick, outcome)),
      fc.nat(120).map((ms) => new Pass(ms)),
      fc.constant(new Reset()),
    ],
    { maxCommands: 150 },
  );
  fc.assert(
    fc.property(commands, (run) => {
      const model: Model = {
        state: 'closed',
        failures: 0,
        successes: 0,
        openedAt: 0,
        now: 0,
        stay: 0,
        trial: false,
        tickets: [],
      };
      fc.modelRun(() => ({ model, real: at(sizes) }), run);
    }),
    { numRuns: 300 },
  );
});
