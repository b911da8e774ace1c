/**
 * Answers of models whose blocks peers compute. The embedding, the head, the sampler and the template are this machine's: what
 * leaves it is hidden states, and what a request may ask for is what it may ask of a model that is here as a whole.
 *
 * A model has up to three names here: its own, where a path through peers covers it now; `NAME@peers`, which nobody else
 * answers for, so that it forces a path; and `NAME@CIRCUIT` for each circuit that the owner ordered.
 *
 * @module gateway/backends/paths/backend
 */
import { InputError, type Random } from '../../../base/index.ts';
import type { Engine, LoadedModel } from '../../../engine/index.ts';
import type { CircuitModel, Circuits, CircuitUse } from '../../../shards/index.ts';
import { createEngineAnswers, wrongTask } from '../../engine-answers.ts';
import type {
  Backend,
  BackendModel,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  GenerationOptions,
  PathReport,
} from '../../types.ts';

/** The name after the `@` that forces a path. */
export const FORCE_PATH = 'peers';

/** A model for which paths may be there. */
export interface OfferedModel {
  readonly row: Pick<
    BackendModel,
    'id' | 'task' | 'context' | 'bytes' | 'digest' | 'family' | 'quantisation'
  >;
  /** True when peers that may be asked have all of its blocks. */
  readonly covered: boolean;
}

export interface PathBackendOptions {
  /** @default 'peers' */
  readonly name?: string;
  /** Those of the swarm that runs. @throws KithError `swarm_off`, `swarm_down` */
  readonly circuits: () => Circuits;
  /** Models of which peers that may be asked announce blocks. */
  readonly offered: () => readonly OfferedModel[];
  /** @throws InputError `model_not_found` */
  readonly model: (id: string) => Promise<CircuitModel>;
  readonly engine: Pick<Engine, 'generate' | 'countTokens'>;
  /** KV cells of a circuit; more where a request needs more. */
  readonly cells: number;
  /** Blocks at each end that this machine computes for requests that demand the pledge (privacy `maximum`). */
  readonly ownBlocks: number;
  readonly overflow?: 'error' | 'slide';
  readonly random: Random;
}

/** A token of most texts has more characters. */
const CHARACTERS_PER_TOKEN = 3;
/** Tokens that are made room for where the request names no number. */
const USUAL_TOKENS = 512;
const MOST_CELLS = 1 << 17;

/** Of what a request asks. */
interface Size {
  readonly characters: number;
  readonly prompts: number;
}

export function createPathBackend(options: PathBackendOptions): Backend {
  const { name = 'peers', engine, overflow = 'error', random } = options;
  const answers = createEngineAnswers({ backend: name, engine, overflow, random });

  const offeredAs = (id: string) => options.offered().find(({ row }) => row.id === id);

  const ordered = () =>
    options
      .circuits()
      .list()
      .filter((one) => one.ordered);

  /** What a name means here; null when it means nothing. */
  function meaningOf(model: string): { readonly id: string; readonly circuit: string | null } | null {
    const at = model.lastIndexOf('@');
    const id = at < 0 ? model : model.slice(0, at);
    const way = at < 0 ? null : model.slice(at + 1);
    const offered = offeredAs(id);
    if (way === null) return offered?.covered ? { id, circuit: null } : null;
    // Without a path the error should say what is missing, and not that there is no such model.
    if (way === FORCE_PATH) return offered === undefined ? null : { id, circuit: null };
    return ordered().some((one) => one.name === way && one.model === id) ? { id, circuit: way } : null;
  }

  /** Cells that a request needs, about: no more than whole contexts for all of its answers, whatever it asks for. */
  function cellsFor(
    { n, maxTokens }: GenerationOptions,
    { characters, prompts }: Size,
    context: number,
  ): number {
    const prompt = Math.ceil(characters / CHARACTERS_PER_TOKEN);
    const needed = Math.min(prompt + n * (maxTokens ?? USUAL_TOKENS), n * prompts * context);
    let cells = options.cells;
    // In few sizes, so that requests can share circuits.
    while (cells < needed && cells < MOST_CELLS) cells *= 2;
    return cells;
  }

  async function take(request: GenerationOptions, size: Size): Promise<CircuitUse> {
    const asked = request.model!;
    const meant = meaningOf(asked);
    if (meant === null)
      throw new InputError('model_not_found', `No path through peers answers for '${asked.slice(0, 100)}'.`, {
        status: 404,
        param: 'model',
      });
    const { peers: requirements = {}, terms } = request;
    const model = await options.model(meant.id);
    return options.circuits().take(
      {
        model,
        name: meant.circuit,
        requirements,
        own: requirements.pledge === true ? options.ownBlocks : 0,
        cells: cellsFor(request, size, model.context),
        conversation: terms?.conversation == null ? null : `${terms.tenant} ${terms.conversation}`,
      },
      request.signal,
    );
  }

  async function* over(
    request: GenerationOptions,
    size: Size,
    ask: (model: LoadedModel, name: string) => AsyncIterable<ChatEvent>,
  ): AsyncGenerator<ChatEvent> {
    using use = await take(request, size);
    for await (const event of ask(use.loaded, request.model!)) {
      if (event.type === 'usage') yield { ...event, receipt: { ...event.receipt, path: pathReport(use) } };
      else yield event;
    }
  }

  const sizeOf = ({ messages, tools }: ChatRequest): Size => ({
    characters: JSON.stringify(messages).length + (tools === undefined ? 0 : JSON.stringify(tools).length),
    prompts: 1,
  });

  return {
    name,
    has: async (model) => meaningOf(model) !== null,
    // Who names no model wants the one of this machine.
    defaultModel: () => null,
    async models() {
      return options.offered().flatMap(({ row, covered }): BackendModel[] => {
        const one = { ...row, ownedBy: 'peers', since: null, installed: covered } as const;
        const state = covered ? ('ready' as const) : ('available' as const);
        const ways = ordered().flatMap(({ name, model }) => (model === row.id ? [name] : []));
        return [
          ...(covered ? [{ ...one, state }] : []),
          ...[FORCE_PATH, ...ways].map((way) => ({ ...one, state, id: `${row.id}@${way}` })),
        ];
      });
    },
    chat: (request: ChatRequest) =>
      over(request, sizeOf(request), (model, id) => answers.chat(model, id, request)),
    complete(request: CompletionRequest) {
      const characters = request.prompts.reduce(
        (sum, prompt) =>
          sum + (typeof prompt === 'string' ? prompt.length : CHARACTERS_PER_TOKEN * prompt.length),
        0,
      );
      return over(request, { characters, prompts: request.prompts.length }, (model, id) =>
        answers.complete(model, id, request),
      );
    },
    async countTokens(request) {
      using use = await take(request, sizeOf(request));
      return answers.countTokens(use.loaded, request.model!, request);
    },
    async embed(request) {
      throw wrongTask(
        request.model!,
        'is asked over peers, which make no embeddings',
        '/v1/chat/completions',
      );
    },
    async health() {
      const offered = options.offered();
      const covered = offered.filter((one) => one.covered).length;
      return {
        status: covered > 0 ? 'ok' : 'degraded',
        latencyMs: null,
        modelsAvailable: covered,
        modelsLoaded: new Set(
          options
            .circuits()
            .list()
            .map(({ model }) => model),
        ).size,
        breaker: { state: 'closed', failures: 0 },
        message: covered > 0 ? null : 'Peers have some blocks of models, and all blocks of none.',
        answers: covered > 0,
      };
    },
  };
}

function pathReport(use: CircuitUse): PathReport {
  const { name, blocks, span, shards, others = [], type } = use.view();
  const { steps, ms, bytes, pausedMs, lost, joined, twice } = use.since();
  return {
    circuit: name,
    blocks,
    span,
    shards: shards.map(({ peer, from, to }) => ({ peer, from, to })),
    ...(twice !== undefined && {
      twice: { by: others.map(({ peer, from, to }) => ({ peer, from, to })), ...twice },
    }),
    type,
    lost: lost.map(({ peer, span: { from, to }, reason }) => ({ peer, from, to, reason })),
    joined: joined.map(({ peer, span: { from, to } }) => ({ peer, from, to })),
    pausedMs,
    steps,
    stepMs: steps === 0 ? null : ms / steps,
    bytes,
  };
}
