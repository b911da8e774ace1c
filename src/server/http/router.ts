/**
 * Finds the route for a method and path. 404 and 405 are typed errors; HEAD goes to GET; OPTIONS is answered with
 * what is allowed.
 *
 * @module server/http/router
 */
import { InputError, KithError } from '../../base/index.ts';
import type { Route } from './exchange.ts';

export interface Match {
  /** Null for OPTIONS: answer with `allow` only. */
  readonly route: Route | null;
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  readonly allow: string;
  /** Route pattern, for logs. */
  readonly pattern: string;
}

interface Compiled {
  readonly pattern: string;
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
  allow: string;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InputError('invalid_path', 'The path has a malformed percent-encoding.');
  }
}

function fit(segments: readonly string[], path: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    if (segment.startsWith('*')) {
      const rest = path.slice(index).join('/');
      if (rest === '') return null;
      params[segment.slice(1)] = decode(rest);
      return params;
    }
    const part = path[index];
    if (part === undefined) return null;
    if (segment.startsWith(':')) {
      if (part === '') return null;
      params[segment.slice(1)] = decode(part);
    } else if (segment !== part) return null;
  }
  return segments.length === path.length ? params : null;
}

/** Path of a request target, without query and a slash at the end. */
function pathOf(target: string): string {
  const question = target.indexOf('?');
  // Proxies may send the absolute form.
  const sent = question < 0 ? target : target.slice(0, question);
  const path = (sent.startsWith('/') ? sent : sent.replace(/^https?:\/\/[^/]*/i, '')) || '/';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The first route at the target's path or above it, whatever its method: `/v1/messages` for `/v1/messages/batches`. What
 * a `:parameter` stands for may be anything; `*` patterns, which catch whole trees, are not above what they do not match.
 */
export function routeAbove(routes: readonly Route[], target: string): Route | null {
  const path = pathOf(target);
  return routes.find(({ path: pattern }) => path === pattern || path.startsWith(fixedPart(pattern))) ?? null;
}

function fixedPart(pattern: string): string {
  const colon = pattern.indexOf('/:');
  return `${colon < 0 ? pattern : pattern.slice(0, colon)}/`;
}

/** Finds routes. Throws `invalid_path` (400), `route_not_found` (404), `method_not_allowed` (405). */
export interface Router {
  (method: string, target: string): Match;
  /** The same without errors: null where it would throw. */
  peek(method: string, target: string): Match | null;
}

class Found implements Match {
  readonly route: Route | null;
  readonly params: Record<string, string>;
  readonly allow: string;
  readonly pattern: string;
  readonly #target: string;
  #query: URLSearchParams | null = null;

  constructor(
    route: Route | null,
    { pattern, allow }: Compiled,
    params: Record<string, string>,
    target: string,
  ) {
    this.route = route;
    this.params = params;
    this.allow = allow;
    this.pattern = pattern;
    this.#target = target;
  }

  get query(): URLSearchParams {
    if (this.#query === null) {
      const question = this.#target.indexOf('?');
      this.#query = new URLSearchParams(question < 0 ? '' : this.#target.slice(question + 1));
    }
    return this.#query;
  }
}

export function createRouter(routes: readonly Route[]): Router {
  const compiled: Compiled[] = [];
  for (const route of routes) {
    let entry = compiled.find((each) => each.pattern === route.path);
    if (!entry) {
      entry = {
        pattern: route.path,
        segments: route.path.slice(1).split('/'),
        methods: new Map(),
        allow: '',
      };
      compiled.push(entry);
    }
    entry.methods.set(route.method, route);
    if (route.method === 'GET') entry.methods.set('HEAD', route);
  }
  for (const entry of compiled) entry.allow = [...entry.methods.keys(), 'OPTIONS'].join(', ');

  function search(path: string): { entry: Compiled; params: Record<string, string> } | null {
    const parts = path.slice(1).split('/');
    for (const entry of compiled) {
      const params = fit(entry.segments, parts);
      if (params) return { entry, params };
    }
    return null;
  }
  /** What requests for the fixed paths come to: nearly all requests are for one of them. */
  const fixed = new Map<string, Compiled>();
  for (const { pattern } of compiled) {
    const found = /[:*]/.test(pattern) ? null : search(pattern);
    if (found !== null && Object.keys(found.params).length === 0) fixed.set(pattern, found.entry);
  }

  function find(method: string, target: string, path: string): Match | 'path' | Compiled | null {
    if (!path.startsWith('/')) return 'path';
    const known = fixed.get(path);
    const found = known === undefined ? search(path) : { entry: known, params: {} };
    if (found === null) return null;
    const { entry, params } = found;
    if (method === 'OPTIONS') return new Found(null, entry, params, target);
    const route = entry.methods.get(method);
    return route === undefined ? entry : new Found(route, entry, params, target);
  }

  const router = (method: string, target: string): Match => {
    const path = pathOf(target);
    const found = find(method, target, path);
    if (found instanceof Found) return found;
    if (found === 'path') throw new InputError('invalid_path', 'The request target is not a path.');
    if (found !== null) {
      const { allow } = found;
      throw new KithError(
        'method_not_allowed',
        `${path.slice(0, 200)} takes ${allow}, not ${method.slice(0, 20)}.`,
        { status: 405, details: { allow } },
      );
    }
    throw new KithError(
      'route_not_found',
      `There is nothing at ${method.slice(0, 20)} ${path.slice(0, 200)}.`,
      { status: 404 },
    );
  };
  const peek = (method: string, target: string): Match | null => {
    try {
      const found = find(method, target, pathOf(target));
      return found instanceof Found ? found : null;
    } catch {
      // A malformed percent-encoding in a parameter.
      return null;
    }
  };
  return Object.assign(router, { peek });
}
