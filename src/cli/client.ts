/**
 * Talks to a running node over its HTTP API.
 *
 * @module cli/client
 */
import { KithError } from '../base/index.ts';
import { findNode, type RunFile } from '../node/index.ts';
import type { MetricsView, NodeStatus } from '../server/index.ts';
import { fetchPinned } from './pinned.ts';
import { settingsOf } from './settings.ts';
import { eventData } from './sse.ts';

type Headers = Readonly<Record<string, string>>;

export interface NodeClient {
  readonly run: RunFile;
  /** Answers of the OpenAI routes. Throws the node's own error as a KithError. */
  post(path: string, body: unknown, signal?: AbortSignal, headers?: Headers): Promise<unknown>;
  /** Parsed `data:` events of a streaming route, without the closing `[DONE]`. */
  stream(path: string, body: unknown, signal?: AbortSignal, headers?: Headers): AsyncIterable<unknown>;
  status(signal?: AbortSignal): Promise<NodeStatus>;
  /** Figures of answers, and alerts. */
  metrics(signal?: AbortSignal): Promise<MetricsView>;
  shutdown(): Promise<void>;
  /** Answers of the other routes, as JSON. Throws the node's own error as a KithError. */
  call<T = unknown>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    more?: { readonly body?: unknown; readonly bytes?: Uint8Array; readonly headers?: Headers },
  ): Promise<T>;
  /** Data of the events of a stream, until the signal fires. Throws `node_lost` when it ends before. */
  events(path: string, signal: AbortSignal): AsyncIterable<unknown>;
  /** Takes a model out of the node's memory. False when it was not there. */
  unload(model: string): Promise<boolean>;
}

/** The running node of this home, or null when none runs. */
export async function connect(home: string): Promise<NodeClient | null> {
  const found = await findNode(home);
  return found.state === 'running' ? createClient(found.run) : null;
}

/** The running node of the home that the options name. Throws `node_down` when none runs. */
export async function runningNode(options: Readonly<Record<string, unknown>>): Promise<NodeClient> {
  const { home } = settingsOf(options).config;
  const node = await connect(home);
  if (node !== null) return node;
  throw nodeDown(home);
}

export const nodeDown = (home: string): KithError =>
  new KithError('node_down', `No node is running on ${home}. Start one with: kith start`);

export function createClient(run: RunFile): NodeClient {
  async function request(
    method: string,
    path: string,
    body: unknown,
    signal?: AbortSignal,
    more: Headers = {},
    bytes?: Uint8Array,
  ): Promise<Response> {
    let response: Response;
    try {
      const url = new URL(path, run.url);
      const init = {
        method,
        headers: {
          ...more,
          authorization: `Bearer ${run.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(bytes === undefined ? {} : { body: bytes as Uint8Array<ArrayBuffer> }),
        ...(signal ? { signal } : {}),
      };
      response = await (run.fingerprint === undefined
        ? fetch(url, init)
        : fetchPinned(url, run.fingerprint, init));
    } catch (error) {
      if (signal?.aborted) throw new KithError('aborted', 'Stopped.', { cause: error });
      throw new KithError(
        'node_unreachable',
        `The node at ${run.url} (process ${run.pid}) does not answer.`,
        {
          cause: error,
        },
      );
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  }
  return {
    run,
    async post(path, body, signal, headers) {
      return (await request('POST', path, body, signal, headers)).json();
    },
    async *stream(path, body, signal, headers) {
      const response = await request('POST', path, body, signal, headers);
      let done = false;
      try {
        for await (const data of eventData(response.body!)) {
          if (data === '[DONE]') {
            done = true;
            break;
          }
          const event = JSON.parse(data) as { error?: { message: string; code: string | null } };
          if (event.error) throw new KithError(event.error.code ?? 'node_error', event.error.message);
          yield event;
        }
      } catch (error) {
        if (signal?.aborted) throw new KithError('aborted', 'Stopped.', { cause: error });
        if (error instanceof KithError) throw error;
        throw new KithError(
          'node_lost',
          'The connection to the node broke off before the answer was complete.',
          {
            cause: error,
          },
        );
      }
      if (!done) throw new KithError('node_lost', 'The node ended its answer before it was complete.');
    },
    async *events(path, signal) {
      const response = await request('GET', path, undefined, signal, { accept: 'text/event-stream' });
      try {
        for await (const data of eventData(response.body!)) yield JSON.parse(data) as unknown;
      } catch (error) {
        if (signal.aborted) return;
        throw new KithError('node_lost', 'The connection to the node broke off.', { cause: error });
      }
      if (!signal.aborted) throw new KithError('node_lost', 'The node ended, and its events with it.');
    },
    async status(signal) {
      return (await (await request('GET', '/kith/v1/status', undefined, signal)).json()) as NodeStatus;
    },
    async metrics(signal) {
      return (await (await request('GET', '/kith/v1/metrics', undefined, signal)).json()) as MetricsView;
    },
    async call<T>(
      method: string,
      path: string,
      {
        body,
        bytes,
        headers,
      }: { readonly body?: unknown; readonly bytes?: Uint8Array; readonly headers?: Headers } = {},
    ) {
      return (await (await request(method, path, body, undefined, headers, bytes)).json()) as T;
    },
    async unload(model) {
      const path = `/kith/v1/models/${encodeURIComponent(model)}/unload`;
      const answer = (await (await request('POST', path, undefined)).json()) as { unloaded: boolean };
      return answer.unloaded;
    },
    async shutdown() {
      await request('POST', '/kith/v1/shutdown', undefined);
    },
  };
}

async function failureOf(response: Response): Promise<KithError> {
  let error: { message?: string; code?: string; param?: string } = {};
  try {
    error = ((await response.json()) as { error?: typeof error }).error ?? {};
  } catch {
    // Not JSON: the status alone has to say it.
  }
  const retryAfter = Number(response.headers.get('retry-after'));
  return new KithError(
    error.code ?? 'node_error',
    error.message ?? `The node answered with status ${response.status}.`,
    {
      status: response.status,
      ...(error.param ? { param: error.param } : {}),
      ...(retryAfter > 0 ? { retryAfter } : {}),
    },
  );
}
