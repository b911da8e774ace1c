/**
 * An answer that comes as a stream: nodes are tried until one has begun, then its events are passed on.
 *
 * @module client/answer
 */
import { attempt, type Call, type CallContext } from './attempts.ts';
import type { Decoder, Source } from './decode.ts';
import { ConnectionError, KithClientError, ResponseError, StreamError } from './errors.ts';
import { createEventParser } from './sse.ts';
import type { Received } from './transport.ts';
import type { Answer, AnswerEvent, WholeAnswer } from './types.ts';

export interface Opening {
  readonly call: Call;
  readonly decoder: (source: Source) => Decoder;
  readonly maxChars: number;
  /** Begins the call's time; `end` is called when it is over. */
  readonly begin: () => { readonly context: CallContext; readonly end: () => void };
}

export function createAnswer(opening: Opening): Answer {
  let taken = false;
  const events = () => {
    if (taken)
      throw new KithClientError('already_read', 'An answer can be read once: keep what you need of it.');
    taken = true;
    return eventsOf(opening);
  };
  return {
    [Symbol.asyncIterator]: events,
    whole: () => gather(events()),
  };
}

async function* eventsOf(opening: Opening): AsyncGenerator<AnswerEvent> {
  const { context, end } = opening.begin();
  let received: Received | null = null;
  try {
    // Everything up to the first piece is held back: until then another node can begin anew.
    const begun = await attempt(context, opening.call, async (answer, node) => {
      if (!/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')) {
        throw new ResponseError(
          'response_malformed',
          `${node.url} answered ${opening.call.path} with ${answer.headers['content-type'] ?? 'no type'}, not with a stream.`,
          { node: node.url },
        );
      }
      const decoder = opening.decoder({ node: node.url, headers: answer.headers });
      const parse = createEventParser(opening.maxChars);
      const held: AnswerEvent[] = [];
      while (!decoder.over() && !held.some((event) => event.type !== 'start')) {
        const bytes = await answer.read(answer.firstLeftMs(), 'first_token');
        if (bytes === null) {
          if (decoder.complete()) break;
          throw new ConnectionError('connection_lost', `${node.url} ended its answer before it began.`, {
            node: node.url,
          });
        }
        for (const event of parse(bytes)) held.push(...decoder.decode(event));
      }
      return { answer, decoder, parse, held, node: node.url };
    });
    const { answer, decoder, parse, held, node } = begun;
    received = answer;
    yield* held;
    while (!decoder.over()) {
      const bytes = await readOn(answer, context, node);
      if (bytes === null) {
        if (decoder.complete()) break;
        throw cut(node, 'the node ended it');
      }
      for (const event of parse(bytes)) yield* decoder.decode(event);
    }
    await answer.drain();
    received = null;
  } finally {
    received?.close();
    end();
  }
}

async function readOn(
  answer: Received,
  { limits, signal }: CallContext,
  node: string,
): Promise<Uint8Array | null> {
  try {
    return await answer.read(limits.interTokenMs, 'inter_token');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof ConnectionError ? cut(node, 'the connection closed', error) : error;
  }
}

function cut(node: string, why: string, cause?: unknown): StreamError {
  return new StreamError('stream_cut', `The answer of ${node} broke off before it was complete: ${why}.`, {
    node,
    cause,
  });
}

/** The whole of an answer from its events. */
export async function gather(events: AsyncIterable<AnswerEvent>): Promise<WholeAnswer> {
  interface OpenChoice {
    text: string;
    reasoning: string;
    toolCalls: { id: string; name: string; arguments: string }[];
    finishReason: string;
  }
  const choices: OpenChoice[] = [];
  const choiceOf = (index: number) => {
    if (index > 1024)
      throw new ResponseError('response_malformed', `The answer has a choice numbered ${index}.`);
    while (choices.length <= index)
      choices.push({ text: '', reasoning: '', toolCalls: [], finishReason: '' });
    return choices[index]!;
  };
  let start: Extract<AnswerEvent, { type: 'start' }> | null = null;
  let usage: WholeAnswer['usage'] = null;
  for await (const event of events) {
    if (event.type === 'start') start = event;
    else if (event.type === 'usage') {
      const { type: _, ...counts } = event;
      usage = counts;
    } else {
      const choice = choiceOf(event.choice);
      if (event.type === 'finish') choice.finishReason = event.reason;
      else if (event.type === 'tool_call') {
        choice.toolCalls.push({ id: event.id, name: event.name, arguments: '' });
      } else if (event.type === 'tool_arguments') {
        const call = choice.toolCalls.at(-1);
        if (call !== undefined) call.arguments += event.text;
      } else choice[event.type] += event.text;
    }
  }
  return {
    id: start?.id ?? '',
    model: start?.model ?? '',
    node: start?.node ?? '',
    requestId: start?.requestId ?? null,
    choices,
    text: choices[0]?.text ?? '',
    usage,
  };
}
