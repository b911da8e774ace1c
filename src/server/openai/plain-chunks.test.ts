import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import { chatEncoder, plainChunks } from './chat.ts';
import { sseEncoding } from './sse-encoding.ts';

test('a plain piece of text is the same bytes, put together or written as JSON', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(text, text, fc.nat({ max: 3 }), fc.boolean(), (model, piece, choice, includeUsage) => {
      const head = { id: 'chatcmpl-1', created: 1, system_fingerprint: 'kith-1' };
      const fast = sseEncoding(chatEncoder(head, 4, includeUsage), plainChunks(head, includeUsage));
      const slow = sseEncoding(chatEncoder(head, 4, includeUsage));
      const events: ChatEvent[] = [
        { type: 'start', backend: 'b', model },
        { type: 'text', choice, text: piece, logprobs: null },
        { type: 'text', choice, text: piece, logprobs: [] },
        { type: 'finish', choice, reason: 'stop', stop: null, slidTokens: 0 },
      ];
      for (const event of events) assert.equal(fast.encode(event), slow.encode(event));
    }),
  );
});
