/**
 * Nodes of a swarm on loopback, without an engine: each in a home of its own, listening on a free port.
 *
 * @module test/swarm-support
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig, setInFile, silentLogger } from '../src/base/index.ts';
import { createNode, type Node } from '../src/node/index.ts';
import type { SwarmView } from '../src/server/index.ts';
// Every answer of these nodes is held to the API document.
import './openapi/watch.ts';

export interface SwarmNode extends AsyncDisposable {
  readonly home: string;
  readonly node: Node;
  /** What a route of the swarm answers; `status` other than 200 throws its code. */
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Of a swarm that runs: waits until it does. */
  view(): Promise<SwarmView>;
}

/** A server that only says which models it has: a backend that is well and is never asked for more. */
export async function listeningBackend(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'nobody', object: 'model' }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, server };
}

/** A home whose node answers from nowhere, so that it is ready at once. */
export async function swarmHome(settings: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'kith-swarm-'));
  for (const [key, value] of Object.entries({
    'server.port': 0,
    'gateway.localEngine': false,
    'openai.enabled': true,
    'openai.baseUrl': 'http://127.0.0.1:9/v1',
    'openai.apiKey': 'none',
    'openai.model': 'nobody',
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    ...settings,
  }))
    await setInFile(home, key, value);
  return home;
}

export async function startSwarmNode(home: string): Promise<SwarmNode> {
  const { config } = resolveConfig({ home, env: {} });
  const node = await createNode({ config, log: silentLogger, version: '0.0.0-test' });
  await node.ready;
  const { token } = JSON.parse(await readFile(join(home, 'run', 'node.json'), 'utf8')) as { token: string };
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${node.url}/kith/v1/swarm${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { error?: { code: string; message: string } };
    if (!response.ok) throw Object.assign(new Error(answer.error?.message), { code: answer.error?.code });
    return answer;
  };
  return {
    home,
    node,
    call,
    async view() {
      // This one waits for the start.
      await call('GET', '/peers');
      return call<SwarmView>('GET', '');
    },
    async [Symbol.asyncDispose]() {
      await node.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Asks again and again until the answer is one that `fits`. Throws with the last one after 20 s. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > end) throw new Error(`It never came: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
