/**
 * Homes and nodes for tests that cross rooms: real small models, one compute thread, a free port.
 *
 * @module test/node-support
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, resolveConfig, silentLogger } from '../src/base/index.ts';
import { createNode, type Node } from '../src/node/index.ts';
import { fillHome } from './kept-home.ts';
// Every answer of these nodes is held to the API document.
import './openapi/watch.ts';

export interface TestHome extends AsyncDisposable {
  readonly path: string;
  /** Removes the folder and everything in it. */
  remove(): Promise<void>;
}

/** A new home whose default models are small: `tiny` (chat) and `tiny-embed`. */
export async function createHome(): Promise<TestHome> {
  const path = await mkdtemp(join(tmpdir(), 'kith-test-'));
  await fillHome(path);
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

export function configOf(home: TestHome, flags: Readonly<Record<string, unknown>> = {}): Config {
  // Tests that change a folder say themselves when it is to be looked at.
  return resolveConfig({ home: home.path, flags: { 'knowledge.watch': false, ...flags }, env: {} }).config;
}

/** A node in this process, ready to answer. */
export async function startNode(
  home: TestHome,
  flags: Readonly<Record<string, unknown>> = {},
): Promise<Node> {
  const node = await createNode({ config: configOf(home, flags), log: silentLogger, version: '0.0.0-test' });
  await node.ready;
  return node;
}
