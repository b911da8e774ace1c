/**
 * The backend that answers from recorded files, for tests and for showing what a node does without a network.
 *
 * The first recorded answer whose `match` fits is given; a request that nothing was recorded for is refused. Recorded
 * streams go through the same decoders as live ones.
 *
 * @module gateway/backends/recorded
 */
import { type Clock, InputError, type Random, throwIfAborted } from '../../../base/index.ts';
import type {
  Backend,
  BackendModel,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingRequest,
  Receipt,
} from '../../types.ts';
import { classify, SseReader, UPSTREAM_LIMITS, UpstreamError } from '../../upstream/index.ts';
import { createMessageDecoder } from '../anthropic/decode.ts';
import { notSupported } from '../not-supported.ts';
import { createDecoder } from '../openai/decode.ts';
import { parseRecorded, type RecordedEntry } from './fixtures.ts';

export interface RecordedBackendOptions {
  readonly name: string;
  /** Contents of the recorded files, and how messages name each. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly defaults?: { readonly chat?: string; readonly embedding?: string };
  readonly clock: Clock;
  readonly random: Random;
}

interface Asked {
  readonly api: 'chat' | 'completion' | 'embedding';
  readonly model: string;
  readonly text: string;
  readonly tools: readonly string[];
}

/** Throws `InputError` for a file that is not one. */
export function createRecordedBackend(options: RecordedBackendOptions): Backend {
  const files = options.files.map(({ name, content }) => parseRecorded(content, name));
  const entries = files.flatMap((file) => file.answers);
  const models = new Map<string, BackendModel>();
  for (const { id, task, context } of files.flatMap((file) => file.models))
    models.set(id, { id, task, context, state: 'loaded', ownedBy: options.name, since: null });

  function modelOf(model: string | null, task: 'chat' | 'embedding'): string {
    const id = model ?? options.defaults?.[task] ?? null;
    if (id !== null && models.has(id)) return id;
    throw new InputError(
      'model_not_found',
      `${options.name} has no recorded answers of '${id ?? 'no model'}'.`,
      {
        status: 404,
        param: 'model',
      },
    );
  }

  function find(asked: Asked): RecordedEntry {
    const entry = entries.find(({ match }) => fits(match, asked));
    if (entry !== undefined) return entry;
    throw new InputError(
      'not_recorded',
      `${options.name} has no recorded ${asked.api} answer for this request. Record one, or ask another backend.`,
      { status: 404 },
    );
  }

  async function* answer(
    asked: Asked,
    choices: number,
    request: ChatRequest | CompletionRequest,
  ): AsyncGenerator<ChatEvent> {
    throwIfAborted(request.signal);
    const { answer, delayMs } = find(asked);
    const receipt: Receipt = {
      backend: options.name,
      model: asked.model,
      queueMs: null,
      prefillMs: null,
      decodeMs: null,
      notes: ['This is a recorded answer.'],
    };
    if ('vectors' in answer) throw notSupported('recorded', 'answering a chat with recorded vectors');
    if ('status' in answer) throw refusalOf(answer, options);
    const events = 'stream' in answer ? decoded(answer, asked, choices, options) : answer.events;
    if ('events' in answer) yield { type: 'start', backend: options.name, model: asked.model };
    let usage: ChatEvent | null = null;
    let finished = 0;
    for (const event of events) {
      if (delayMs > 0) await options.clock.sleep(delayMs, request.signal);
      throwIfAborted(request.signal);
      if (event.type === 'usage') usage = { ...event, receipt };
      else if (event.type === 'finish') {
        finished++;
        yield { slidTokens: 0, ...event };
      } else if (event.type === 'text') yield { logprobs: null, ...event };
      else yield event;
    }
    if (finished < choices)
      throw new UpstreamError(
        'cut',
        'upstream_cut',
        `${options.name}: the recorded answer ends before its finish.`,
      );
    yield usage ?? {
      type: 'usage',
      promptTokens: null,
      cachedTokens: null,
      completionTokens: null,
      receipt: { ...receipt, notes: [...receipt.notes, 'No token counts were recorded.'] },
    };
  }

  return {
    name: options.name,
    has: async (model) => models.has(model),
    defaultModel: (task) => options.defaults?.[task] ?? null,
    models: async () => [...models.values()],
    async *chat(request) {
      const model = modelOf(request.model, 'chat');
      const text = request.messages.findLast(({ role }) => role === 'user')?.content ?? '';
      const tools = (request.tools ?? []).map(({ name }) => name);
      yield* answer({ api: 'chat', model, text, tools }, request.n, request);
    },
    async *complete(request) {
      const model = modelOf(request.model, 'chat');
      const text = request.prompts.map((prompt) => (typeof prompt === 'string' ? prompt : '')).join('\n');
      const asked: Asked = { api: 'completion', model, text, tools: [] };
      yield* answer(asked, request.prompts.length * request.n, request);
    },
    async countTokens() {
      throw notSupported('recorded', 'counting tokens without answering');
    },
    async embed(request: EmbeddingRequest) {
      throwIfAborted(request.signal);
      const model = modelOf(request.model, 'embedding');
      const text = request.inputs.map((input) => (typeof input === 'string' ? input : '')).join('\n');
      const { answer } = find({ api: 'embedding', model, text, tools: [] });
      if ('status' in answer) throw refusalOf(answer, options);
      if (!('vectors' in answer)) throw notSupported('recorded', 'embedding with a recorded text');
      const dimension = answer.vectors[0]!.length;
      const even = answer.vectors.every((row) => row.length === dimension);
      if (answer.vectors.length !== request.inputs.length || !even) {
        throw new InputError(
          'not_recorded',
          `${options.name} has ${answer.vectors.length} recorded vectors of ${dimension} numbers for ${request.inputs.length} inputs.`,
          { status: 404 },
        );
      }
      const notes = ['These are recorded vectors.'];
      return {
        vectors: Float32Array.from(answer.vectors.flatMap(unit)),
        dimension,
        tokens: answer.tokens,
        receipt: { backend: options.name, model, queueMs: null, prefillMs: null, decodeMs: null, notes },
      };
    },
    async health() {
      return {
        status: 'ok',
        latencyMs: 0,
        modelsAvailable: models.size,
        modelsLoaded: models.size,
        breaker: { state: 'closed', failures: 0 },
        message: null,
        answers: true,
      };
    },
  };
}

/** Rows of length 1, as every backend gives them; a row of zeros stays as it is. */
function unit(row: readonly number[]): number[] {
  const norm = Math.hypot(...row) || 1;
  return row.map((each) => each / norm);
}

function fits(match: RecordedEntry['match'], { api, model, text, tools }: Asked): boolean {
  return (
    match.api === api &&
    (match.model === undefined || match.model === model) &&
    (match.contains === undefined || text.includes(match.contains)) &&
    (match.equals === undefined || match.equals === text) &&
    (match.tool === undefined || tools.includes(match.tool))
  );
}

function refusalOf(
  { status, headers, body }: { status: number; headers: Record<string, string>; body?: unknown },
  { name, clock }: RecordedBackendOptions,
): UpstreamError {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
  return classify({ server: name, status, headers, text, now: clock.now() });
}

/** The events of a recorded stream, one after the other. */
function* decoded(
  { stream, of }: { readonly stream: string; readonly of: 'openai' | 'anthropic' },
  { api, model }: Asked,
  choices: number,
  { name, random, clock }: RecordedBackendOptions,
): Generator<ChatEvent> {
  const common = { backend: name, model, server: name, random, now: () => clock.now(), secrets: [] };
  const decoder =
    of === 'anthropic'
      ? createMessageDecoder(common)
      : createDecoder({ ...common, api: api === 'completion' ? 'completions' : 'chat', choices });
  const reader = new SseReader(name, UPSTREAM_LIMITS);
  for (const frames of [reader.push(new TextEncoder().encode(stream)), reader.end().frames]) {
    for (const frame of frames) if (!decoder.done) yield* decoder.frame(frame);
  }
  const { promptTokens, completionTokens } = decoder.usage;
  if (promptTokens === null && completionTokens === null) return;
  const receipt = { backend: name, model, queueMs: null, prefillMs: null, decodeMs: null, notes: [] };
  yield { type: 'usage', ...decoder.usage, receipt };
}
