/**
 * Figures of HTTP requests by route, method, status and error code.
 *
 * @module server/metrics/requests
 */
import { RecentHistogram } from '../../base/index.ts';
import { busyStatuses } from '../http/errors.ts';
import type { RequestFacts } from '../types.ts';
import { BoundedRecords, boundedValues, codeLabel, none, other } from './labels.ts';

export interface RequestSet {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly code: string;
  count: number;
}

export interface RouteSet {
  readonly route: string;
  readonly method: string;
  readonly duration: RecentHistogram;
  bytesIn: number;
  bytesOut: number;
}

type Named = Pick<RequestFacts, 'route' | 'method' | 'status' | 'code'>;

/** Where requests of these facts are counted. */
interface Place {
  readonly facts: Named;
  readonly set: RequestSet;
  readonly per: RouteSet;
}

const isLike = (one: Named, other: Named): boolean =>
  one.route === other.route &&
  one.status === other.status &&
  one.code === other.code &&
  one.method === other.method;

const maxRequestSets = 500;
const maxRouteSets = 100;
const maxRoutes = 80;
const maxCodes = 100;
/** Slots of the window in which failures are counted. */
const slots = 10;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export class RequestFigures {
  readonly sets = new BoundedRecords<RequestSet>(maxRequestSets, () => ({
    route: other,
    method: other,
    status: other,
    code: other,
    count: 0,
  }));
  readonly routes: BoundedRecords<RouteSet>;
  /** Requests answered with 429, by error code. */
  readonly limited = new Map<string, number>();
  #last: Place | null = null;
  readonly #windowMs: number;
  readonly #route = boundedValues(maxRoutes);
  readonly #code = boundedValues(maxCodes);
  readonly #recent = Array.from({ length: slots }, () => ({ slot: -1, all: 0, failed: 0, refused: 0 }));

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.routes = new BoundedRecords(maxRouteSets, () => this.#makeRoute(other, other));
  }

  observe(facts: RequestFacts, now: number): void {
    const { set, per } = this.#placeOf(facts);
    set.count++;
    per.duration.observe(facts.ms, now);
    per.bytesIn += facts.bytesIn;
    per.bytesOut += facts.bytesOut;
    if (facts.status === 429) this.limited.set(set.code, (this.limited.get(set.code) ?? 0) + 1);
    if (!facts.counted) return;
    const slot = this.#slot(now);
    slot.all++;
    // A stream that broke off has a status of 200 and a code.
    const broken = facts.status < 400 && facts.code !== null;
    if (busyStatuses.has(facts.status) || (broken && facts.limit !== null)) slot.refused++;
    else if (facts.status >= 500 || broken) slot.failed++;
  }

  /** Requests of clients within the window: all, those that the node failed (5xx but 503 and 529), and those it refused. */
  recent(now: number): { all: number; failed: number; refused: number } {
    const oldest = Math.floor(now / (this.#windowMs / slots)) - slots + 1;
    const sum = { all: 0, failed: 0, refused: 0 };
    for (const { slot, all, failed, refused } of this.#recent) {
      if (slot < oldest) continue;
      sum.all += all;
      sum.failed += failed;
      sum.refused += refused;
    }
    return sum;
  }

  /** Most requests are counted where the last one was. */
  #placeOf(facts: RequestFacts): Place {
    const last = this.#last;
    if (last !== null && isLike(last.facts, facts)) return last;
    const route = this.#route(facts.route ?? none);
    const method = methods.has(facts.method) ? facts.method : other;
    const status = String(facts.status);
    const code = this.#code(codeLabel(facts.code));
    const key = `${route}\n${method}\n${status}\n${code}`;
    const set = this.sets.of(key, () => ({ route, method, status, code, count: 0 }));
    const per = this.routes.of(`${route}\n${method}`, () => this.#makeRoute(route, method));
    const { route: pattern, method: sent, status: number, code: error } = facts;
    this.#last = { facts: { route: pattern, method: sent, status: number, code: error }, set, per };
    return this.#last;
  }

  #slot(now: number) {
    const number = Math.floor(now / (this.#windowMs / slots));
    const slot = this.#recent[number % slots]!;
    if (slot.slot !== number) Object.assign(slot, { slot: number, all: 0, failed: 0, refused: 0 });
    return slot;
  }

  #makeRoute(route: string, method: string): RouteSet {
    return { route, method, duration: new RecentHistogram(this.#windowMs), bytesIn: 0, bytesOut: 0 };
  }
}
