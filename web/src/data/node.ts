/**
 * Requests to the node that served this page: same origin, so the browser adds what it knows of the reader's key.
 *
 * @module web/data/node
 */
import { faultOf, NodeError, unreachable } from './node-error.ts';

/** Throws `NodeError`, or the signal's reason when it fired. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { cache: 'no-store', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw new NodeError(faultOf(body, response.status, response.headers.get('x-request-id')));
}

export interface ChatModel {
  readonly id: string;
  readonly state: 'loaded' | 'ready' | 'available';
  /** Tokens; null = unknown. */
  readonly context: number | null;
}

interface ModelList {
  readonly data: readonly {
    readonly id: string;
    readonly kith?: {
      readonly task: string;
      readonly state: ChatModel['state'];
      readonly context: number | null;
    };
  }[];
}

/** Models that can hold a conversation. */
export async function chatModels(signal: AbortSignal): Promise<ChatModel[]> {
  const list = (await (await ask('/v1/models', { signal })).json()) as ModelList;
  return list.data
    .filter(({ kith }) => kith === undefined || kith.task === 'chat')
    .map(({ id, kith }) => ({ id, state: kith?.state ?? 'ready', context: kith?.context ?? null }));
}
