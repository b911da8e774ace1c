/**
 * One ask of a backend, watched: what came, when, and how it ended. It never throws and never hangs.
 *
 * @module gateway/checkup/ask
 */
import { AbortedError, type Clock } from '../../base/index.ts';
import type { Backend, ChatRequest } from '../types.ts';

export interface Question extends Partial<Omit<ChatRequest, 'messages' | 'signal'>> {
  readonly text: string;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** Called with each piece of text or call; true leaves the answer. */
  readonly onPiece?: (asked: Asked) => boolean;
}

export interface Asked {
  text: string;
  /** Calls of tools: name and arguments as text. */
  readonly calls: { readonly name: string; arguments: string }[];
  /** ms from asking to each piece, the first 4,096. */
  readonly pieces: number[];
  /** ms to the end. */
  ms: number;
  finish: string | null;
  /** Model that answered by its own word; null when it did not say. */
  answeredBy: string | null;
  /** Tokens of prompt and answer; null when they were not reported. */
  tokens: number | null;
  /** Tokens of the answer; null when they were not reported. */
  completionTokens: number | null;
  /** How a server's stream ended; null where the backend does not say. */
  ending: string | null;
  /** What was thrown; null when it ended by itself. */
  error: unknown;
  /** The time was over first. */
  late: boolean;
  /** It went on far beyond the tokens that were asked for, and was left. */
  overrun: boolean;
  /** It was left as `onPiece` said. */
  left: boolean;
}

const maxPieces = 4096;
/** Longest token of any vocabulary is shorter by far. */
const charactersPerToken = 64;

export async function ask(
  backend: Pick<Backend, 'chat'>,
  clock: Pick<Clock, 'monotonic'>,
  { text, onPiece, signal = new AbortController().signal, ...request }: Question,
): Promise<Asked> {
  const began = clock.monotonic();
  const asked: Asked = {
    text: '',
    calls: [],
    pieces: [],
    ms: 0,
    finish: null,
    answeredBy: null,
    tokens: null,
    completionTokens: null,
    ending: null,
    error: null,
    late: false,
    overrun: false,
    left: false,
  };
  const leave = new AbortController();
  const events = backend
    .chat({
      model: null,
      n: 1,
      sampler: {},
      stop: [],
      overflow: null,
      keepTokens: 0,
      timeoutMs: null,
      ...request,
      messages: [{ role: 'user', content: text }],
      signal: AbortSignal.any([signal, leave.signal]),
    })
    [Symbol.asyncIterator]();
  const over = Promise.withResolvers<null>();
  const onAbort = () => over.resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const limit = request.maxTokens * charactersPerToken;
  let characters = 0;
  try {
    for (;;) {
      const next = await Promise.race([events.next(), over.promise]);
      if (next === null) {
        asked.late = true;
        break;
      }
      if (next.done) break;
      const event = next.value;
      if (event.type === 'finish') asked.finish = event.reason;
      else if (event.type === 'usage') {
        const { promptTokens, completionTokens, receipt } = event;
        asked.tokens = sum(promptTokens, completionTokens);
        asked.completionTokens = completionTokens;
        asked.answeredBy = receipt.model;
        const upstream = (receipt as { upstream?: { ending?: unknown } }).upstream;
        if (typeof upstream?.ending === 'string') asked.ending = upstream.ending;
      } else if (event.type !== 'start') {
        if (asked.pieces.length < maxPieces) asked.pieces.push(clock.monotonic() - began);
        if (event.type === 'text') asked.text += event.text;
        else if (event.type === 'tool_call') asked.calls.push({ name: event.name, arguments: '' });
        else asked.calls.at(-1)!.arguments += event.text;
        characters += event.type === 'tool_call' ? event.name.length : event.text.length;
        asked.overrun = characters > limit || asked.pieces.length >= maxPieces;
        asked.left = !asked.overrun && onPiece?.(asked) === true;
        if (asked.overrun || asked.left) break;
      }
    }
  } catch (error) {
    // A backend that was told to end says so with an error; that it had to is what counts.
    if (signal.aborted) asked.late = true;
    else asked.error = error;
  } finally {
    asked.ms = clock.monotonic() - began;
    signal.removeEventListener('abort', onAbort);
    leave.abort(new AbortedError('The check is over.'));
    // One that hangs is not waited for.
    events.return?.().then(undefined, () => {});
  }
  return asked;
}

const sum = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : one + other;
