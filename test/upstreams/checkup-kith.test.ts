/**
 * The check-up against a real node as a server, and against the engine of this machine: real models, real answers.
 *
 * @module test/upstreams/checkup-kith.test
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { createAnthropicBackend, createOpenAiBackend } from '../../src/gateway/backends/index.ts';
import { CHECKS, type CheckName, type CheckResult, checkBackend } from '../../src/gateway/checkup/index.ts';
import type { Backend } from '../../src/gateway/types.ts';
import type { Node } from '../../src/node/index.ts';
import { openRooms } from '../../src/node/rooms.ts';
import { configOf, createHome, startNode, type TestHome } from '../node-support.ts';

let home: TestHome;
let node: Node;
before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  await node[Symbol.asyncDispose]();
  await home.remove();
});

const general = { clock: systemClock, random: createSeededRandom(1) };

async function resultsOf(
  backend: Backend,
  options: Partial<Parameters<typeof checkBackend>[1]>,
): Promise<Record<CheckName, CheckResult>> {
  const results: Partial<Record<CheckName, CheckResult>> = {};
  for await (const result of checkBackend(backend, { ...general, ...options })) results[result.name] = result;
  return results as Record<CheckName, CheckResult>;
}

/** A busy machine may take more than 50 ms to leave; everything else is as it should be. */
function allWell(results: Record<CheckName, CheckResult>, skipped: readonly CheckName[] = []): void {
  for (const name of CHECKS) {
    const { state, message } = results[name];
    const expected = skipped.includes(name) ? ['skipped'] : name === 'abort' ? ['ok', 'warn'] : ['ok'];
    assert.ok(expected.includes(state), `${name}: ${state}: ${message}`);
  }
}

test('a node is a server that passes every check, over both of its APIs', async () => {
  const baseUrl = `${node.url}/v1`;
  const server = { name: 'node', baseUrl, ...general };
  await using openAi = createOpenAiBackend(server);
  const options = { address: { baseUrl }, model: 'tiny', models: ['tiny'], tries: 2 };
  const results = await resultsOf(openAi, { ...options, embeddingModel: 'tiny-embed' });
  allWell(results);
  assert.equal(results.embeddings.measured.dimension, 384);
  assert.deepEqual([results.bad_model.measured.status, results.bad_model.code], [404, 'model_not_found']);
  assert.equal(results.abort.measured.ended, 'left');
  assert.ok(results.latency.tokens! > 0);
  await using anthropic = createAnthropicBackend(server);
  allWell(await resultsOf(anthropic, { ...options, abilities: { json: false } }), ['json', 'embeddings']);
});

test('the engine of this machine passes the same checks', async () => {
  await using rooms = await openRooms(configOf(home), silentLogger);
  const results = await resultsOf(rooms.local, { tries: 2 });
  allWell(results);
  assert.equal(results.connection.requests, 0);
  assert.equal(results.abort.measured.ended, 'left');
  const state = await rooms.local.engineStatus();
  assert.ok(state!.models.every(({ active, queued }) => active === 0 && queued === 0));
});
