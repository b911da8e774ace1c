import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { createRecentDecoding } from './recent.ts';

describe('Recent decoding', () => {
  it('is the speed of the passes of the last minute, and unknown when there were none', async () => {
    const clock = createManualClock();
    const recent = createRecentDecoding(clock);
    assert.equal(recent.tokensPerSecond, null);
    recent.add(4, 100);
    assert.equal(recent.tokensPerSecond, 40);
    await clock.advance(30_000);
    recent.add(1, 100);
    assert.equal(recent.tokensPerSecond, 25);
    // The first pass is a minute ago, the second half of one.
    await clock.advance(30_000);
    assert.equal(recent.tokensPerSecond, 10);
    await clock.advance(30_000);
    assert.equal(recent.tokensPerSecond, null);
    // The slot of a second long ago is not added to.
    recent.add(3, 1000);
    assert.equal(recent.tokensPerSecond, 3);
  });
});
