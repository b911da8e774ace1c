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
  const path = (question < 0 ? target : target.slice(0, question)).replace(/^https?:\/\/[^/]*/i, '') || '/';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The first route at the target's path or above it, whatever its method: `/v1/messages` for `/v1/messages/batches`. */
export function routeAbove(routes: readonly Route[], target: string): Route | null {
  const path = pathOf(target);
  return routes.find((route) => path === route.path || path.startsWith(`${route.path}/`)) ?? null;
}

export function createRouter(routes: readonly Route[]): (method: string, target: string) => Match {
  const compiled: Compiled[] = [];
  for (const route of routes) {
    let entry = compiled.find((each) => each.pattern === route.path);
    if (!entry) {
      entry = { pattern: route.path, segments: route.path.slice(1).split('/'), methods: new Map() };
      compiled.push(entry);
    }
    entry.methods.set(route.method, route);
    if (route.method === 'GET') entry.methods.set('HEAD', route);
  }
  return (method, target) => {
    const question = target.indexOf('?');
    const path = pathOf(target);
    if (!path.startsWith('/')) throw new InputError('invalid_path', 'The request target is not a path.');
    const query = new URLSearchParams(question < 0 ? '' : target.slice(question + 1));
    const parts = path.slice(1).split('/');
    for (const entry of compiled) {
      const params = fit(entry.segments, parts);
      if (!params) continue;
      const allow = [...entry.methods.keys(), 'OPTIONS'].join(', ');
      if (method === 'OPTIONS') return { route: null, params, query, allow, pattern: entry.pattern };
      const route = entry.methods.get(method);
      if (route) return { route, params, query, allow, pattern: entry.pattern };
      throw new KithError(
        'method_not_allowed',
        `${path.slice(0, 200)} takes ${allow}, not ${method.slice(0, 20)}.`,
        {
          status: 405,
          details: { allow },
        },
      );
    }
    throw new KithError(
      'route_not_found',
      `There is nothing at ${method.slice(0, 20)} ${path.slice(0, 200)}.`,
      {
        status: 404,
      },
    );
  };
}
