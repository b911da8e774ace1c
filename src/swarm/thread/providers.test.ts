import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKithError } from '../../base/index.ts';
import { wayErrors } from '../rpc/errors.ts';
import { Exchanges } from './exchanges.ts';
import type { ToSwarm } from './messages.ts';
import { Providers } from './providers.ts';

const key = new Uint8Array(32).fill(7);

function setUp() {
  const told: { readonly n: number; readonly op: string }[] = [];
  const exchanges = new Exchanges(
    (message: ToSwarm) => {
      if (message.k === 'do') told.push({ n: message.n, op: message.op });
    },
    () => 'running',
  );
  const answer = (index: number) => exchanges.settle({ k: 'done', n: told[index]!.n, value: null });
  return {
    providers: new Providers(exchanges),
    exchanges,
    told,
    answer,
    ops: () => told.map(({ op }) => op),
  };
}

test('a key that could not be provided is not kept', async () => {
  const { providers, exchanges, told, ops } = setUp();
  const providing = providers.provide(key, undefined);
  exchanges.settle({ k: 'failed', n: told[0]!.n, error: wayErrors.unreachable('nobody is there') });
  await assert.rejects(providing, (error) => isKithError(error) && error.code === 'swarm_unreachable');
  assert.deepEqual(ops(), ['provide', 'unprovide']);
  assert.equal(providers.again().length, 0, 'a new thread is not told of it');
});

test('a key whose providing was given up is not kept', async () => {
  const { providers, ops } = setUp();
  const ending = new AbortController();
  const providing = providers.provide(key, ending.signal);
  ending.abort();
  await assert.rejects(providing, (error) => isKithError(error) && error.code === 'aborted');
  assert.deepEqual(ops(), ['provide', 'unprovide']);
  assert.equal(providers.again().length, 0);
});

test('a key is provided for as long as anybody wants it', async () => {
  const { providers, exchanges, told, answer, ops } = setUp();
  const asking = [providers.provide(key, undefined), providers.provide(key, undefined)];
  answer(0);
  answer(1);
  const [first, second] = (await Promise.all(asking)) as [AsyncDisposable, AsyncDisposable];
  const third = providers.provide(key, undefined);
  exchanges.settle({ k: 'failed', n: told[2]!.n, error: wayErrors.unreachable('nobody is there') });
  await assert.rejects(third);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  assert.deepEqual(
    ops(),
    ['provide', 'provide', 'provide'],
    'one who lets go, or fails, ends it for nobody else',
  );
  const left = second[Symbol.asyncDispose]();
  answer(3);
  await left;
  assert.deepEqual(ops().at(-1), 'unprovide');
  assert.equal(providers.again().length, 0);
});
