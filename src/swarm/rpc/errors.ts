/**
 * Errors of calls: those of the way to a peer, and those that a peer answers with, in their form on the wire.
 *
 * @module swarm/rpc/errors
 */
import {
  type CborMap,
  decodeCbor,
  encodeCbor,
  isKithError,
  KithError,
  type KithErrorOptions,
} from '../../base/index.ts';

/** What a peer answered instead of a reply. `code` is the peer's; its words are not for logs. */
export class PeerError extends KithError {
  override readonly name = 'PeerError';
  readonly peer: string;
  constructor(peer: string, code: string, message: string, options: KithErrorOptions = {}) {
    super(code, message, {
      status: 502,
      ...options,
      logged: `Peer ${peer} answered with the error ${code}.`,
    });
    this.peer = peer;
  }
}

/** An error as it crosses between nodes and between threads. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  /** Seconds. */
  readonly retryAfter?: number;
  /** True when a peer said it, false when it is about the way there. */
  readonly remote?: boolean;
}

const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const MAX_MESSAGE = 1000;

/** What a peer may learn of an error of this node: typed ones as they are, of the others only that there was one. */
export function toWireError(error: unknown): WireError {
  if (!isKithError(error) || !CODE.test(error.code))
    return {
      code: 'swarm_handler_failed',
      message: 'The peer failed while it worked on the call.',
      status: 500,
    };
  return {
    code: error.code,
    message: error.message.slice(0, MAX_MESSAGE).toWellFormed(),
    status: error.status,
    ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
  };
}

export function encodeWireError(error: WireError): Uint8Array {
  const value: Record<string, string | number> = {
    c: error.code,
    m: error.message.slice(0, MAX_MESSAGE).toWellFormed(),
  };
  if (error.retryAfter !== undefined) value.r = Math.min(86_400, Math.max(0, Math.ceil(error.retryAfter)));
  if (error.status !== undefined) value.s = error.status;
  return encodeCbor(value, { maxBytes: 4096 });
}

/** Null for what is no error. */
export function decodeWireError(bytes: Uint8Array): WireError | null {
  let value: CborMap;
  try {
    value = decodeCbor(bytes, { maxBytes: 4096, maxDepth: 1, maxItems: 16 }) as CborMap;
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    return null;
  const { c: code, m: message, r: retryAfter, s: status } = value;
  if (typeof code !== 'string' || !CODE.test(code) || typeof message !== 'string') return null;
  if (message.length > MAX_MESSAGE) return null;
  const counts = (item: unknown, low: number, high: number): item is number =>
    typeof item === 'number' && Number.isInteger(item) && item >= low && item <= high;
  return {
    code,
    message,
    ...(counts(status, 400, 599) && { status }),
    ...(counts(retryAfter, 0, 86_400) && { retryAfter }),
    remote: true,
  };
}

/** The error that a caller gets. */
export function fromWireError(error: WireError, peer: string): KithError {
  const options: KithErrorOptions = {
    ...(error.status !== undefined && { status: error.status }),
    ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
    details: { peer },
  };
  if (error.remote) return new PeerError(peer, error.code, error.message, options);
  return new KithError(error.code, error.message, options);
}

/** What libp2p says in words of its own, for who has to do something about it. */
const IN_WORDS: readonly (readonly [said: RegExp, meant: string])[] = [
  [
    /blocked by gater\.allowDialPeer/,
    'this node refuses it: it is banned here (kith ban lists who is), or its tier is below swarm.minTier.',
  ],
  [
    /^(Encryption failed|Remote closed connection during opening)$/,
    'it ended the connection before that stood. If a node of this version runs there, it refuses this node: a ban, its swarm.minTier, or its limits.',
  ],
  [
    /^Unexpected Peer$/i,
    'another peer answers at that address. Take the address again from kith p2p info on its machine.',
  ],
  [
    /^Message length length too long/,
    'what answers there does not speak as this network does. If it is a node, one of the two is in a private network that the other is not in: compare kith network show.',
  ],
];

const inWords = (why: string): string => IN_WORDS.find(([said]) => said.test(why))?.[1] ?? why;

/** Failures of the way to a peer, made in the swarm thread. */
export const wayErrors = {
  unreachable: (why: string): WireError => ({
    code: 'swarm_unreachable',
    message: `The peer cannot be reached: ${inWords(why).slice(0, 300)}`,
    status: 502,
  }),
  reset: (why: string): WireError => ({
    code: 'swarm_reset',
    message: `The link to the peer ended before its answer: ${why.slice(0, 300)}`,
    status: 502,
  }),
  timeout: (ms: number): WireError => ({
    code: 'swarm_timeout',
    message: `The peer gave no answer within ${Math.round(ms)} ms. Where kith p2p peers list does not show it online, connect to it first: kith p2p connect ADDRESS, as kith p2p info shows it there.`,
    status: 504,
  }),
  aborted: (): WireError => ({
    code: 'aborted',
    message: 'The request was aborted by its caller.',
    status: 499,
  }),
} as const;

/** What a node says to a caller that it does not serve. */
export const refusals = {
  unknownMethod: (method: string): WireError => ({
    code: 'swarm_unknown_method',
    message: `This node has no method ${JSON.stringify(method)}.`,
    status: 404,
  }),
  rate: (ms: number): WireError => ({
    code: 'swarm_rate',
    message: 'Too many requests from this peer. Ask again later.',
    status: 429,
    retryAfter: Math.ceil(ms / 1000),
  }),
  busy: (what: string): WireError => ({
    code: 'swarm_busy',
    message: `The peer is busy: ${what}.`,
    status: 503,
    retryAfter: 1,
  }),
  tooLarge: (bytes: number, limit: number): WireError => ({
    code: 'swarm_too_large',
    message: `${bytes} bytes pass this method's limit of ${limit}.`,
    status: 413,
  }),
  denied: (): WireError => ({
    code: 'swarm_denied',
    message: 'This node does not serve the method to peers it trusts as little as the caller.',
    status: 403,
  }),
} as const;
