import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiptBody, receiptHeaders } from './receipt.ts';

const receipt = {
  backend: 'local',
  model: 'm',
  queueMs: 0.20412,
  prefillMs: 49.7512,
  decodeMs: null,
  notes: ['A note.'],
};

test('the receipt in a body has times in tenths of a millisecond, in headers whole ones', () => {
  assert.deepEqual(receiptBody(receipt), {
    backend: 'local',
    model: 'm',
    queue_ms: 0.2,
    prefill_ms: 49.8,
    decode_ms: null,
    notes: ['A note.'],
  });
  assert.deepEqual(receiptHeaders(receipt), {
    'x-kith-backend': 'local',
    'x-kith-model': 'm',
    'x-kith-queue-ms': '0',
    'x-kith-prefill-ms': '50',
  });
});
