/**
 * What the log tells in numbers: requests, errors, times, restarts, alerts. Memory is bounded, whatever the log holds:
 * each table has a limit and counts the rest under `other`.
 *
 * @module cli/log-analysis/analyse
 */
import { Histogram } from '../../base/index.ts';
import type { Quantiles } from '../../server/index.ts';
import { advise } from './advice.ts';

const maxRows = 500;
const maxNames = 100;
const slowestKept = 10;
const maxText = 200;

type Entry = Readonly<Record<string, unknown>>;

export interface SlowRequest {
  readonly request: string;
  readonly time: string;
  readonly route: string;
  readonly ms: number;
  readonly model: string | null;
  readonly completionTokens: number | null;
}

export interface Timings {
  readonly name: string;
  readonly requests: number;
  readonly durationMs: Quantiles | null;
  readonly timeToFirstTokenMs: Quantiles | null;
  readonly tokensPerSecond: Quantiles | null;
}

export interface Analysis {
  /** Of the lines that were read, ISO 8601; null without any. */
  readonly from: string | null;
  readonly to: string | null;
  readonly lines: number;
  /** Lines that are not of this log's form. */
  readonly broken: number;
  readonly levels: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly routes: readonly { readonly route: string; readonly status: number; readonly count: number }[];
  readonly errors: readonly { readonly code: string; readonly count: number; readonly newest: string }[];
  /** Limits that requests met. */
  readonly limits: readonly { readonly limit: string; readonly count: number }[];
  /** Answered with 429, 503 or 529. */
  readonly refused: number;
  readonly models: readonly Timings[];
  readonly agents: readonly Timings[];
  readonly backends: readonly Timings[];
  readonly slowest: readonly SlowRequest[];
  readonly engine: { readonly deaths: number; readonly breakers: number; readonly newest: string | null };
  readonly alerts: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly count: number;
    readonly newest: string;
  }[];
  readonly suggestions: readonly string[];
}

/** Facts that suggestions are made of. */
export interface Evidence {
  readonly requests: number;
  count(table: 'code' | 'limit' | 'status' | 'message', key: string): number;
  readonly deaths: number;
  readonly breakers: number;
  readonly broken: number;
}

interface Row {
  readonly name: string;
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly rate: Histogram;
}

class Table<T> {
  readonly rows = new Map<string, T>();
  readonly #limit: number;
  constructor(limit: number) {
    this.#limit = limit;
  }
  of(key: string, make: (key: string) => T): T {
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    const name = this.rows.size < this.#limit ? key : 'other';
    const found = this.rows.get(name);
    if (found !== undefined) return found;
    const made = make(name);
    this.rows.set(name, made);
    return made;
  }
}

interface Tally {
  count: number;
  newest: string;
}

export class LogAnalysis {
  #lines = 0;
  #broken = 0;
  #from: string | null = null;
  #to: string | null = null;
  #requests = 0;
  #refused = 0;
  #deaths = 0;
  #breakers = 0;
  #lastDeath: string | null = null;
  readonly #levels = new Table<Tally>(20);
  readonly #routes = new Table<{ readonly route: string; readonly status: number } & Tally>(maxRows);
  readonly #statuses = new Table<Tally>(100);
  readonly #codes = new Table<Tally>(maxRows);
  readonly #limits = new Table<Tally>(maxNames);
  readonly #messages = new Table<Tally>(maxRows);
  readonly #alerts = new Table<{ readonly rule: string; readonly severity: string } & Tally>(maxNames);
  readonly #names = {
    model: new Table<Row>(maxNames),
    agent: new Table<Row>(maxNames),
    backend: new Table<Row>(maxNames),
  };
  #slowest: SlowRequest[] = [];
  readonly #since: number | null;

  /** @param since lines older than this are passed over, ms since the epoch */
  constructor(since: number | null) {
    this.#since = since;
  }

  /** One line; null for one that could not be read. */
  add(line: string | null): void {
    const entry = line === null ? null : parse(line);
    const time = text(entry?.time);
    const at = time === null ? Number.NaN : Date.parse(time);
    if (entry === null || time === null || Number.isNaN(at)) {
      this.#lines++;
      this.#broken++;
      return;
    }
    if (this.#since !== null && at < this.#since) return;
    this.#lines++;
    if (this.#from === null || time < this.#from) this.#from = time;
    if (this.#to === null || time > this.#to) this.#to = time;
    count(this.#levels.of(text(entry.level) ?? 'unknown', tally), time);
    const message = text(entry.msg) ?? '';
    // Requests at debug are those of probes, of the page for its files and of the command line: no client's.
    if (message === 'request') {
      if (entry.level !== 'debug') this.#request(entry, time);
    } else if (message === 'engine process ended') {
      this.#deaths++;
      this.#lastDeath = time;
    } else if (message.startsWith('engine process keeps ending')) this.#breakers++;
    else if (text(entry.alert) !== null) this.#alert(entry, time);
    else if (noted.has(message)) count(this.#messages.of(message, tally), time);
  }

  #request(entry: Entry, time: string): void {
    const route = text(entry.route) ?? 'none';
    const status = number(entry.status) ?? 0;
    const ms = number(entry.ms);
    if (text(entry.request) === null || ms === null) {
      this.#broken++;
      return;
    }
    this.#requests++;
    if (refusals.has(status)) this.#refused++;
    count(
      this.#routes.of(`${route}\n${status}`, (key) => ({
        ...tally(),
        ...(key === 'other' ? { route: key, status: 0 } : { route, status }),
      })),
      time,
    );
    count(this.#statuses.of(String(status), tally), time);
    const code = text(entry.code);
    if (code !== null) count(this.#codes.of(code, tally), time);
    const limit = text(entry.limit);
    if (limit !== null) count(this.#limits.of(limit, tally), time);
    this.#slow(entry, { time, route, ms });
    const model = text(entry.model);
    // Only answers of models have these figures, and only whole ones say how fast it was.
    if (model === null || status >= 400) return;
    for (const key of ['model', 'agent', 'backend'] as const) {
      const name = text(entry[key]) ?? 'none';
      const row = this.#names[key].of(name, rowOf);
      row.duration.observe(ms);
      const ttft = number(entry.ttftMs);
      if (ttft !== null) row.firstToken.observe(ttft);
      const rate = number(entry.tokensPerSecond);
      if (rate !== null) row.rate.observe(rate);
    }
  }

  #slow(entry: Entry, { time, route, ms }: { time: string; route: string; ms: number }): void {
    const last = this.#slowest.at(-1);
    if (this.#slowest.length >= slowestKept && last !== undefined && ms <= last.ms) return;
    const request = text(entry.request)!;
    const model = text(entry.model);
    const completionTokens = number(entry.completionTokens);
    this.#slowest.push({ request, time, route, ms, model, completionTokens });
    this.#slowest.sort((a, b) => b.ms - a.ms);
    this.#slowest.length = Math.min(this.#slowest.length, slowestKept);
  }

  #alert(entry: Entry, time: string): void {
    if (entry.state !== 'firing' || entry.again === true) return;
    const rule = text(entry.rule) ?? 'unknown';
    const severity = text(entry.severity) ?? 'unknown';
    count(
      this.#alerts.of(rule, (name) => ({ ...tally(), rule: name, severity })),
      time,
    );
  }

  result(): Analysis {
    const tables = {
      code: this.#codes,
      limit: this.#limits,
      status: this.#statuses,
      message: this.#messages,
    };
    const evidence: Evidence = {
      requests: this.#requests,
      count: (table, key) => tables[table].rows.get(key)?.count ?? 0,
      deaths: this.#deaths,
      breakers: this.#breakers,
      broken: this.#broken,
    };
    return {
      from: this.#from,
      to: this.#to,
      lines: this.#lines,
      broken: this.#broken,
      levels: Object.fromEntries([...this.#levels.rows].map(([level, { count }]) => [level, count])),
      requests: this.#requests,
      routes: [...this.#routes.rows.values()]
        .map(({ route, status, count }) => ({ route, status, count }))
        .sort((a, b) => b.count - a.count || a.route.localeCompare(b.route) || a.status - b.status),
      errors: [...this.#codes.rows]
        .map(([code, { count, newest }]) => ({ code, count, newest }))
        .sort(byCount),
      limits: [...this.#limits.rows].map(([limit, { count }]) => ({ limit, count })).sort(byCount),
      refused: this.#refused,
      models: timings(this.#names.model),
      agents: timings(this.#names.agent),
      backends: timings(this.#names.backend),
      slowest: this.#slowest,
      engine: { deaths: this.#deaths, breakers: this.#breakers, newest: this.#lastDeath },
      alerts: [...this.#alerts.rows.values()]
        .map(({ rule, severity, count, newest }) => ({ rule, severity, count, newest }))
        .sort(byCount),
      suggestions: advise(evidence),
    };
  }
}

/** Messages that suggestions ask for. */
const noted: ReadonlySet<string> = new Set([
  'connection refused',
  'alert webhook failed',
  'traces could not be sent',
  'default model failed',
]);

/** 529 is how Anthropic's API says that a server is busy. */
const refusals: ReadonlySet<number> = new Set([429, 503, 529]);

const tally = (): Tally => ({ count: 0, newest: '' });

function count(row: Tally, time: string): void {
  row.count++;
  if (time > row.newest) row.newest = time;
}

const byCount = (a: { count: number }, b: { count: number }): number => b.count - a.count;

function rowOf(name: string): Row {
  return { name, duration: new Histogram(), firstToken: new Histogram(), rate: new Histogram() };
}

function timings(table: Table<Row>): Timings[] {
  return [...table.rows.values()]
    .map(({ name, duration, firstToken, rate }) => ({
      name,
      requests: duration.count,
      durationMs: quantiles(duration),
      timeToFirstTokenMs: quantiles(firstToken),
      tokensPerSecond: quantiles(rate),
    }))
    .sort((a, b) => b.requests - a.requests || a.name.localeCompare(b.name));
}

function quantiles(histogram: Histogram): Quantiles | null {
  if (histogram.count === 0) return null;
  const at = (q: number) => Number(histogram.quantile(q)!.toPrecision(3));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function parse(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Entry) : null;
  } catch {
    // Counted by the caller: a line that a killed process left, or that somebody else wrote.
    return null;
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, maxText) : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
