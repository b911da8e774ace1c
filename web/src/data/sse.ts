/**
 * Server-sent events as they come out of a fetch body (HTML standard, section 9.2.6).
 *
 * @module web/data/sse
 */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

/** One event is a token or the state of the node; what is larger is not from a node. */
const maxEventChars = 4 * 1024 * 1024;

/** Takes pieces of text as they come, returns the events that they complete. Throws `RangeError` over the bound. */
export function createSseParser(maxChars = maxEventChars): (piece: string) => SseEvent[] {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let size = 0;
  /** The last piece ended in CR: an LF at the start of the next belongs to it. */
  let afterReturn = false;

  return (piece) => {
    const events: SseEvent[] = [];
    rest += afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') afterReturn = false;
    for (;;) {
      const end = rest.search(/[\r\n]/);
      if (end < 0) break;
      const line = rest.slice(0, end);
      const both = rest[end] === '\r' && rest[end + 1] === '\n';
      if (rest[end] === '\r' && end + 1 === rest.length) afterReturn = true;
      rest = rest.slice(end + (both ? 2 : 1));
      if (line === '') {
        if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n') });
        event = '';
        data = [];
        size = 0;
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (name === 'event') event = value;
      if (name === 'data') {
        data.push(value);
        size += value.length;
      }
    }
    if (rest.length + size > maxChars)
      throw new RangeError(`An event is longer than ${maxChars} characters.`);
    return events;
  };
}

/** Events of a response body. Ends when the body ends; throws what reading it throws. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const parse = createSseParser();
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parse(value);
    }
  } finally {
    // Leaving early lets go of the connection: the node hears that nobody listens.
    reader.cancel().catch(() => {});
  }
}
