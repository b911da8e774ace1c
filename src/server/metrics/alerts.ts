/**
 * Turns readings into alerts: one for each rule, fired after its condition held for a while, ended when the value is
 * well clear of the threshold for as long. While it fires it is told again once an hour.
 *
 * @module server/metrics/alerts
 */
import type { Clock, Ids } from '../../base/index.ts';
import type { Readings, Rule } from './alert-rules.ts';
import type { Alert } from './types.ts';

/** How far on the good side of the threshold a value has to be: a fifth of it. */
const clearance = 0.2;
const repeatMs = 3_600_000;
/** Ended alerts that are remembered. */
const maxRecent = 50;

export interface AlertsOptions {
  readonly rules: readonly Rule[];
  readonly clock: Clock;
  readonly ids: Ids;
  /** ms a condition has to hold. */
  readonly holdMs: number;
  /** `again`: it was told before and still fires. Must not throw. */
  readonly notify: (alert: Alert, again: boolean) => void;
}

export interface Alerts {
  evaluate(readings: Readings): void;
  /** Most severe first. */
  readonly firing: readonly Alert[];
  /** Ended ones, newest first. */
  readonly recent: readonly Alert[];
}

interface State {
  readonly rule: Rule;
  /** Monotonic ms since when the value is on the other side; null when it is not. */
  changing: number | null;
  alert: Alert | null;
  toldAt: number;
}

const rank = { critical: 0, warning: 1, info: 2 } as const;

export function createAlerts(options: AlertsOptions): Alerts {
  const { clock, holdMs, notify } = options;
  const states: readonly State[] = options.rules.map((rule) => ({
    rule,
    changing: null,
    alert: null,
    toldAt: 0,
  }));
  const recent: Alert[] = [];
  const timeText = (ago: number) => new Date(clock.now() - ago).toISOString();

  function fire(state: State, value: number, heldMs: number): void {
    const { rule } = state;
    const measured = rule.unit !== null;
    state.alert = {
      id: options.ids.next('alert'),
      rule: rule.name,
      severity: rule.severity,
      state: 'firing',
      message: rule.message(value, rule.threshold),
      value: measured ? value : null,
      threshold: measured ? rule.threshold : null,
      unit: rule.unit,
      since: timeText(heldMs),
      until: null,
    };
    state.toldAt = clock.monotonic();
    notify(state.alert, false);
  }

  function resolve(state: State, alert: Alert, heldMs: number): void {
    const ended: Alert = { ...alert, state: 'resolved', until: timeText(heldMs) };
    state.alert = null;
    recent.unshift(ended);
    recent.length = Math.min(recent.length, maxRecent);
    notify(ended, false);
  }

  function step(state: State, readings: Readings): void {
    const { rule } = state;
    const value = rule.read(readings);
    if (value === undefined) return;
    const now = clock.monotonic();
    const changes = state.alert === null ? isBad(rule, value) : isClear(rule, value);
    if (changes) {
      state.changing ??= now;
      const held = now - state.changing;
      if (held >= holdMs) {
        state.changing = null;
        if (state.alert === null) fire(state, value!, held);
        else resolve(state, state.alert, held);
        return;
      }
    } else state.changing = null;
    if (state.alert === null || value === null || !isBad(rule, value)) return;
    state.alert = {
      ...state.alert,
      message: rule.message(value, rule.threshold),
      value: rule.unit === null ? null : value,
    };
    if (now - state.toldAt >= repeatMs) {
      state.toldAt = now;
      notify(state.alert, true);
    }
  }

  return {
    evaluate(readings) {
      for (const state of states) step(state, readings);
    },
    get firing() {
      return states
        .map(({ alert }) => alert)
        .filter((alert) => alert !== null)
        .sort((a, b) => rank[a.severity] - rank[b.severity] || a.since.localeCompare(b.since));
    },
    recent,
  };
}

function isBad(rule: Rule, value: number | null): boolean {
  if (value === null) return false;
  return rule.under ? value < rule.threshold : value > rule.threshold;
}

function isClear(rule: Rule, value: number | null): boolean {
  if (value === null) return true;
  return rule.under ? value >= rule.threshold * (1 + clearance) : value <= rule.threshold * (1 - clearance);
}
