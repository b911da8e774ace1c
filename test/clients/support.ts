/**
 * One node for the tests of a client package, and the count of the calls that its script makes.
 *
 * @module test/clients/support
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

/** Calls that each client's script makes: the matrix may grow, it does not shrink unnoticed. */
export const scripted = {
  openai: 23,
  'openai-tools': 11,
  'openai-errors': 17,
  'openai-responses': 8,
  'ai-sdk': 33,
  langchain: 18,
  anthropic: 19,
  ollama: 23,
} as const;

export interface Matrix {
  readonly url: string;
  /** Folder of the node's home. */
  readonly home: string;
  readonly node: Node;
  /** A test that makes one scripted call of the client. */
  call(name: string, run: () => Promise<void>): void;
  /** A test that makes several. */
  calls(count: number, name: string, run: () => Promise<void>): void;
  /** Waits until no sequence is being generated: what was aborted has ended in the engine, too. */
  idle(): Promise<void>;
}

/** Starts a node before the calls and says at the end how many there were. */
export function clientMatrix(
  client: keyof typeof scripted,
  flags: Readonly<Record<string, unknown>> = {},
): Matrix {
  let home: TestHome | undefined;
  let node: Node | undefined;
  let count = 0;
  before(async () => {
    home = await createHome();
    node = await startNode(home, flags);
  });
  after(async () => {
    await node?.close();
    await home?.remove();
    console.log(`${client}: ${count} scripted calls`);
    assert.equal(count, scripted[client]);
  });
  return {
    get url() {
      return node!.url;
    },
    get home() {
      return home!.path;
    },
    get node() {
      return node!;
    },
    call(name, run) {
      count++;
      test(name, run);
    },
    calls(several, name, run) {
      count += several;
      test(name, run);
    },
    async idle() {
      for (;;) {
        const { models } = await node!.engineStatus();
        if (models.every(({ active, queued }) => active === 0 && queued === 0)) return;
      }
    },
  };
}

/** Goes on until it is stopped: the end token of the test model is banned. */
export const endless = { max_tokens: 2000, temperature: 1.5, logit_bias: { 2: -100 } };
