import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPace } from './pace.ts';

describe('The pace', () => {
  it('aims prompt rows at the added latency, between the least and the whole chunk', () => {
    const pace = createPace({ prefillChunk: 256, addedMs: 100 });
    assert.equal(pace.chunk(false), 256);
    assert.equal(pace.chunk(true), 32);
    pace.pass(0, 256, 1, 512);
    assert.equal(pace.chunk(true), 50);
    for (let i = 0; i < 50; i++) pace.pass(0, 256, 0, 25_600);
    assert.equal(pace.chunk(true), 16);
    for (let i = 0; i < 50; i++) pace.pass(0, 256, 0, 2.56);
    assert.equal(pace.chunk(true), 256);
  });

  it('estimates when half of the queue has been served', () => {
    const pace = createPace({ prefillChunk: 256, addedMs: 100 });
    pace.job(20_000);
    assert.equal(pace.retryAfter(8, 4), 20);
    assert.equal(pace.retryAfter(1, 16), 2);
    pace.pass(4, 0, 4, 50);
    assert.equal(pace.tokensPerSecond, 80);
  });
});
