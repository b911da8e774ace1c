/**
 * Streams in OpenAI's form: one `data:` line per chunk, errors as `data: {"error":…}`, `data: [DONE]` at a good end.
 *
 * @module server/openai/sse-encoding
 */
import type { ChatEvent } from '../../gateway/index.ts';
import { openAiError } from '../http/errors.ts';
import { doneEvent, encodeEvent, pingComment } from '../http/sse.ts';
import type { StreamEncoding } from '../http/stream.ts';

/**
 * @param chunks what one event becomes (possibly none)
 * @param plain the chunk of a plain piece of text as JSON, for the events that come by the hundred; null for all others
 */
export function sseEncoding(
  chunks: (event: ChatEvent) => readonly unknown[],
  plain: (event: ChatEvent) => string | null = () => null,
): StreamEncoding {
  return {
    contentType: 'text/event-stream; charset=utf-8',
    encode(event) {
      const json = plain(event);
      if (json !== null) return `data: ${json}\n\n`;
      let text = '';
      for (const chunk of chunks(event)) text += encodeEvent(chunk);
      return text;
    },
    end: () => doneEvent,
    error: (fault) => encodeEvent(openAiError(fault)),
    ping: pingComment,
  };
}
