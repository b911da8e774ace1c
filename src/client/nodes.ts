/**
 * The nodes of a client: addresses, connections, breakers, and which one is asked next.
 *
 * @module client/nodes
 */
import { type Breaker, createBreaker, type Outcome } from './breaker.ts';
import { KithClientError } from './errors.ts';
import { createPool, type Pool } from './transport.ts';
import type { ClientOptions, NodeAddress } from './types.ts';

export interface KnownNode {
  /** Without a slash at the end: what errors and events name it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pool: Pool;
  readonly breaker: Breaker;
  /** Until then it asked to be left alone, in the time of `now`. */
  busyUntil: number;
}

export interface Chosen {
  readonly node: KnownNode;
  readonly settle: (outcome: Outcome) => void;
}

/** Throws `url_invalid` or `no_nodes`. */
export function createNodes(options: ClientOptions, now: () => number): KnownNode[] {
  if (options.nodes.length === 0) {
    throw new KithClientError(
      'no_nodes',
      'nodes: is empty: name at least one node, as http://127.0.0.1:11435.',
    );
  }
  return options.nodes.map((entry) => {
    const address: NodeAddress = typeof entry === 'string' ? { url: entry } : entry;
    const url = baseOf(address.url);
    const apiKey = address.apiKey ?? options.apiKey;
    return {
      url,
      headers: { ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }), ...address.headers },
      pool: createPool(url.startsWith('https:'), options),
      breaker: createBreaker(options.breaker?.failures ?? 5, options.breaker?.restMs ?? 30_000, now),
      busyUntil: Number.NEGATIVE_INFINITY,
    };
  });
}

function baseOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new KithClientError(
      'url_invalid',
      `"${text}" is no address of a node: it must look like http://host:port.`,
      {
        cause,
      },
    );
  }
  if (
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new KithClientError(
      'url_invalid',
      'An address of a node begins with http:// or https:// and has no user, query or fragment; ' +
        'a key goes into apiKey.',
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`;
}

/** The first node, in the order of preference and those tried least first, that may be asked now; null when none may. */
export function chooseNode(
  nodes: readonly KnownNode[],
  tries: ReadonlyMap<KnownNode, number>,
  now: number,
): Chosen | null {
  const order = [...nodes].sort((a, b) => (tries.get(a) ?? 0) - (tries.get(b) ?? 0));
  for (const node of order) {
    if (node.busyUntil > now) continue;
    const settle = node.breaker.enter();
    if (settle !== null) return { node, settle };
  }
  return null;
}

/** A node that another request is trying just now is looked at again after this, ms. */
const PROBE_WAIT_MS = 50;

/** ms until the first node may be asked again. */
export function waitForNode(nodes: readonly KnownNode[], now: number): number {
  return Math.min(
    ...nodes.map((node) => Math.max(node.busyUntil - now, node.breaker.restMs(), PROBE_WAIT_MS)),
  );
}
