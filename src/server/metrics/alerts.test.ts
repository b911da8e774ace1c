import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createIds, createManualClock, createSeededRandom } from '../../base/index.ts';
import type { NodeStatus } from '../types.ts';
import { type AlertSettings, alertRules, type Readings } from './alert-rules.ts';
import { createAlerts } from './alerts.ts';
import { createRestartCount } from './restarts.ts';
import type { Alert } from './types.ts';

const settings: AlertSettings = {
  errorRate: 0.1,
  refusedRate: 0.5,
  ttftP95Ms: 1000,
  queueWaitP95Ms: 0,
  engineRestarts: 3,
  diskFreeBytes: 1000,
  memoryBytes: null,
  loopDelayMs: 100,
};

const status = (extra: object = {}): NodeStatus =>
  ({
    state: 'ready',
    diskFree: 5000,
    memory: { node: 10, engine: 20 },
    engine: { state: 'running', restarts: 0 },
    backends: [{ backend: 'local', breaker: { state: 'closed', failures: 0 } }],
    loaded: [],
    ...extra,
  }) as unknown as NodeStatus;

const calm: Readings = {
  status: status(),
  requests: { all: 100, failed: 0, refused: 0 },
  ttftP95Ms: 100,
  queueWaitP95Ms: 99_999,
  restarts: 0,
  loopDelayMs: 1,
};

function setUp(holdMs = 30_000) {
  const clock = createManualClock();
  const told: { alert: Alert; again: boolean }[] = [];
  const alerts = createAlerts({
    rules: alertRules(settings, 1_000_000),
    clock,
    ids: createIds(clock, createSeededRandom(1)),
    holdMs,
    notify: (alert, again) => told.push({ alert, again }),
  });
  /** Looks every 10 s for a while. */
  const look = async (readings: Partial<Readings>, forMs: number) => {
    for (let at = 0; at < forMs; at += 10_000) {
      alerts.evaluate({ ...calm, ...readings });
      await clock.advance(10_000);
    }
  };
  const names = () => told.map(({ alert, again }) => `${alert.rule} ${alert.state}${again ? ' again' : ''}`);
  return { alerts, told, look, names, clock };
}

test('an alert fires once its condition has held, once, and ends once it is well over for as long', async () => {
  const { alerts, told, look, names } = setUp();
  await look({ ttftP95Ms: 1500 }, 30_000);
  assert.deepEqual(names(), []);
  await look({ ttftP95Ms: 1700 }, 60_000);
  assert.deepEqual(names(), ['ttft_p95 firing']);
  assert.equal(alerts.firing[0]!.value, 1700);
  assert.equal(alerts.firing[0]!.threshold, 1000);
  // Under the threshold, but not by a fifth: it goes on.
  await look({ ttftP95Ms: 900 }, 300_000);
  assert.equal(alerts.firing.length, 1);
  await look({ ttftP95Ms: 700 }, 40_000);
  assert.deepEqual(names(), ['ttft_p95 firing', 'ttft_p95 resolved']);
  assert.equal(alerts.firing.length, 0);
  assert.equal(alerts.recent[0]!.id, told[0]!.alert.id);
  assert.ok(Date.parse(alerts.recent[0]!.until!) > Date.parse(alerts.recent[0]!.since));
});

test('a value that jumps over and back again never fires', async () => {
  const { look, names } = setUp();
  for (let n = 0; n < 50; n++) {
    await look({ ttftP95Ms: 5000 }, 20_000);
    await look({ ttftP95Ms: 900 }, 10_000);
  }
  assert.deepEqual(names(), []);
});

test('an alert that goes on firing is told again once an hour', async () => {
  const { look, names } = setUp(0);
  await look({ loopDelayMs: 500 }, 3 * 3_600_000 + 60_000);
  assert.deepEqual(names(), [
    'event_loop firing',
    'event_loop firing again',
    'event_loop firing again',
    'event_loop firing again',
  ]);
});

test('whatever the values do, each rule alternates between firing and resolved', () => {
  const value = fc.constantFrom(0, 700, 850, 1001, 4000, null);
  fc.assert(
    fc.asyncProperty(
      fc.array(value, { maxLength: 80 }),
      fc.constantFrom(0, 20_000),
      async (values, holdMs) => {
        const { look, told } = setUp(holdMs);
        for (const ttftP95Ms of values) await look({ ttftP95Ms }, 10_000);
        let last = 'resolved';
        for (const { alert, again } of told) {
          if (again) continue;
          assert.notEqual(alert.state, last);
          last = alert.state;
        }
      },
    ),
  );
});

test('each rule looks at its own figure; few requests have no rate; 0 switches a rule off', async () => {
  const bad: Readonly<Record<string, Partial<Readings>>> = {
    error_rate: { requests: { all: 20, failed: 3, refused: 0 } },
    refused_rate: { requests: { all: 20, failed: 0, refused: 11 } },
    engine_restarted: { restarts: 1 },
    disk_free: { status: status({ diskFree: 999 }) },
    memory: { status: status({ memory: { node: 500_000, engine: 400_001 } }) },
    engine_breaker: { status: status({ backends: [{ breaker: { state: 'open' } }] }) },
    engine_silent: { status: status({ loaded: [{ work: null }] }) },
    node_degraded: { status: status({ state: 'degraded', message: 'SECRET' }) },
  };
  for (const [rule, readings] of Object.entries(bad)) {
    const { look, alerts } = setUp(0);
    await look(readings, 10_000);
    assert.deepEqual(
      alerts.firing.map((alert) => alert.rule),
      [rule],
    );
    assert.ok(!JSON.stringify(alerts.firing).includes('SECRET'));
  }
  const { look, names, alerts } = setUp(0);
  await look({ requests: { all: 19, failed: 19, refused: 0 } }, 10_000);
  assert.deepEqual(names(), []);
  await look({ restarts: 3 }, 10_000);
  assert.deepEqual(
    alerts.firing.map(({ rule, severity }) => `${rule} ${severity}`),
    ['engine_restarts warning', 'engine_restarted info'],
  );
});

test('a node that does not tell its status changes nothing but that', async () => {
  const { look, alerts } = setUp(0);
  await look({ status: status({ diskFree: 10 }) }, 10_000);
  await look({ status: null }, 100_000);
  assert.deepEqual(
    alerts.firing.map(({ rule }) => rule),
    ['disk_free', 'engine_silent'],
  );
});

test('restarts count for 10 minutes', () => {
  const count = createRestartCount();
  assert.equal(count.note(0, 0), 0);
  assert.equal(count.note(2, 60_000), 2);
  assert.equal(count.note(3, 300_000), 3);
  assert.equal(count.note(3, 660_000), 1);
  assert.equal(count.note(3, 900_001), 0);
});
