/**
 * Requests, answers and event lists for the tests of the cache.
 *
 * @module gateway/cache/testing/examples
 */
import { fc } from '../../../../test/property.ts';
import type { ChatEvent, ChatRequest, Receipt } from '../../types.ts';
import type { Answer, AnswerKey, AnswerScope, StoredAnswer } from '../types.ts';

export function request(changes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: null,
    messages: [{ role: 'user', content: 'Who painted the ceiling?' }],
    n: 1,
    sampler: { temperature: 0 },
    maxTokens: null,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    ...changes,
  };
}

export const scope: AnswerScope = { model: 'small', tenant: 'key-1', privacy: 'minimum' };

export const receipt: Receipt = {
  backend: 'local',
  model: 'small',
  queueMs: 1,
  prefillMs: 20,
  decodeMs: 300,
  notes: [],
};

export function answer(text: string): Answer {
  return {
    backend: 'local',
    model: 'small',
    choices: [{ parts: [text], reason: 'stop', stop: null, slidTokens: 0 }],
    promptTokens: 7,
    cachedTokens: 2,
    completionTokens: 5,
    receipt,
  };
}

export function stored(text: string, storedAt = 1_700_000_000_000, freshMs = 3_600_000): StoredAnswer {
  return { answer: answer(text), storedAt, freshUntil: storedAt + freshMs };
}

export function keyNamed(name: string, model = 'small'): AnswerKey {
  return { id: Buffer.from(name).toString('hex').padStart(64, '0').slice(-64), model };
}

/** The events of one answer in the given pieces. */
export function eventsOf(...pieces: readonly string[]): ChatEvent[] {
  return [
    { type: 'start', backend: 'local', model: 'small' },
    ...pieces.map((text) => ({ type: 'text', choice: 0, text, logprobs: null }) as const),
    { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 },
    { type: 'usage', promptTokens: 7, cachedTokens: 2, completionTokens: pieces.length, receipt },
  ];
}

export function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

export async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** Any list of events that a backend may give: up to four choices, mixed in time. */
export function anyEvents(): fc.Arbitrary<ChatEvent[]> {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const piece = fc.oneof(
    { weight: 3, arbitrary: text.map((value) => ({ kind: 'text' as const, text: value })) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('call' as const),
        id: fc.string({ maxLength: 8 }),
        name: fc.string({ minLength: 1, maxLength: 8 }),
        pieces: fc.array(text, { maxLength: 3 }),
      }),
    },
  );
  const choice = fc.record({
    pieces: fc.array(piece, { maxLength: 6 }),
    reason: fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const),
    stop: fc.option(fc.string({ maxLength: 4 })),
    slidTokens: fc.nat(9),
  });
  const usage = fc.record({
    promptTokens: fc.option(fc.nat()),
    cachedTokens: fc.option(fc.nat()),
    completionTokens: fc.option(fc.nat()),
  });
  return fc
    .tuple(fc.array(choice, { minLength: 1, maxLength: 4 }), usage, fc.infiniteStream(fc.nat()))
    .map(([choices, counts, order]) => {
      const lanes = choices.map(({ pieces, ...finish }, index) => {
        let calls = 0;
        const events: ChatEvent[] = pieces.flatMap((item): ChatEvent[] => {
          if (item.kind === 'text') return [{ type: 'text', choice: index, text: item.text, logprobs: null }];
          const call = calls++;
          return [
            { type: 'tool_call', choice: index, index: call, id: item.id, name: item.name },
            ...item.pieces.map((args) => {
              return { type: 'tool_arguments', choice: index, index: call, text: args } as const;
            }),
          ];
        });
        return [...events, { type: 'finish', choice: index, ...finish } as const];
      });
      const events: ChatEvent[] = [{ type: 'start', backend: 'local', model: 'small' }];
      while (lanes.some((lane) => lane.length > 0)) {
        const open = lanes.filter((lane) => lane.length > 0);
        events.push(open[order.next().value % open.length]!.shift()!);
      }
      return [...events, { type: 'usage', ...counts, receipt }];
    });
}

/** What an answer says, without how it was cut into pieces: the list of each choice. */
export function essence(events: readonly ChatEvent[]): unknown {
  const choices = new Map<number, unknown[]>();
  const rest: unknown[] = [];
  for (const event of events) {
    if (event.type === 'start') rest.push([event.backend, event.model]);
    else if (event.type === 'usage') {
      rest.push([event.promptTokens, event.cachedTokens, event.completionTokens, event.receipt]);
    } else {
      const list = choices.get(event.choice) ?? [];
      choices.set(event.choice, list);
      const last = list.at(-1);
      if (event.type === 'text') {
        if (event.text === '') continue;
        if (typeof last === 'string') list[list.length - 1] = last + event.text;
        else list.push(event.text);
      } else if (event.type === 'tool_call') list.push({ id: event.id, name: event.name, args: '' });
      else if (event.type === 'tool_arguments') (last as { args: string }).args += event.text;
      else list.push([event.reason, event.stop, event.slidTokens]);
    }
  }
  return [rest, [...choices].sort(([a], [b]) => a - b)];
}
