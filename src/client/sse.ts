/**
 * Server-sent events (WHATWG HTML, 9.2): bytes in, events out. Lines and events are bounded.
 *
 * @module client/sse
 */
import { ResponseError } from './errors.ts';

export interface ServerEvent {
  /** Empty for an event without a name. */
  readonly event: string;
  readonly data: string;
}

/** Takes the next bytes and gives the events that they complete. One cut off by the end is never given. */
export type EventParser = (bytes: Uint8Array) => ServerEvent[];

export function createEventParser(maxChars: number): EventParser {
  const decoder = new TextDecoder();
  let rest = '';
  let name = '';
  let data: string[] = [];
  let size = 0;
  /** The text so far ended in CR: an LF that follows belongs to it. */
  let afterReturn = false;

  const line = (text: string, events: ServerEvent[]) => {
    if (text === '') {
      if (data.length > 0) events.push({ event: name, data: data.join('\n') });
      name = '';
      data = [];
      size = 0;
      return;
    }
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + (text[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') name = value;
    else if (field === 'data') {
      data.push(value);
      size += value.length;
    }
  };

  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    if (afterReturn && text.startsWith('\n')) text = text.slice(1);
    afterReturn = text.endsWith('\r');
    const events: ServerEvent[] = [];
    let start = 0;
    for (const end of text.matchAll(/\r\n|\n|\r/g)) {
      line(rest + text.slice(start, end.index), events);
      rest = '';
      start = end.index + end[0].length;
    }
    rest += text.slice(start);
    if (rest.length + size > maxChars) {
      throw new ResponseError(
        'response_too_large',
        `One event of the answer is longer than ${maxChars} characters.`,
      );
    }
    return events;
  };
}
