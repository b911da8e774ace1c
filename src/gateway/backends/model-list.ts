/**
 * The models of another server: those that are configured, or those that it lists, believed for a while. One request at a
 * time; when the server does not answer, what it said last still stands.
 *
 * @module gateway/backends/model-list
 */
import type { BackendHealth, BackendModel } from '../types.ts';
import { badResponse, type Upstream, UpstreamError } from '../upstream/index.ts';
import { arrayIn, countIn, isObject, type JsonObject, stringIn } from './json.ts';
import type { RemoteModel, RemoteOptions } from './types.ts';

/** ms for the list and for a probe: both hold up other things. */
const askMs = 5000;
const maxListBytes = 16 * 2 ** 20;
const maxModels = 20_000;
const maxId = 200;

export interface ModelList {
  /** Never throws: empty while nothing is known. */
  models(): Promise<readonly BackendModel[]>;
  has(id: string): Promise<boolean>;
  /** The server's name for a model. */
  upstreamId(id: string): string;
  health(signal?: AbortSignal): Promise<BackendHealth>;
}

export function createModelList(
  upstream: Upstream,
  options: RemoteOptions,
  healthPath: string | null,
): ModelList {
  const { clock } = options;
  const configured = options.models?.map((model) => rowOf(model, { id: model.id }, options.name)) ?? null;
  const names = new Map(options.models?.map(({ id, upstreamId }) => [id, upstreamId ?? id]));
  let listed: readonly BackendModel[] = [];
  let askedAt: number | null = null;
  let asking: Promise<void> | null = null;

  const limits = {
    connectMs: askMs,
    headersMs: askMs,
    firstTokenMs: askMs,
    interTokenMs: askMs,
    totalMs: askMs,
    maxResponseBytes: maxListBytes,
  };
  async function ask(signal: AbortSignal): Promise<void> {
    const { body } = await upstream.json({ method: 'GET', path: '/models', signal, limits });
    const rows = isObject(body) ? (body.data ?? body.models) : body;
    if (!Array.isArray(rows))
      throw badResponse('upstream_bad_models', upstream.origin, 'sent a list of models without `data`.');
    listed = arrayIn(rows)
      .slice(0, maxModels)
      .filter(isObject)
      .flatMap((row) => {
        const id = stringIn(row.id) ?? stringIn(row.name);
        return id === null || id === '' || id.length > maxId ? [] : [rowOf({ id }, row, options.name)];
      });
    askedAt = clock.monotonic();
  }
  async function fresh(): Promise<readonly BackendModel[]> {
    if (configured !== null) return configured;
    const ttl = options.modelsTtlMs ?? 60_000;
    if (askedAt !== null && clock.monotonic() - askedAt < ttl) return listed;
    asking ??= ask(new AbortController().signal)
      .catch(() => {
        // Whoever asks for a model finds out why; until the next try what is known stands.
        askedAt = clock.monotonic() - ttl + Math.min(ttl, askMs);
      })
      .finally(() => {
        asking = null;
      });
    await asking;
    return listed;
  }

  return {
    models: fresh,
    async has(id) {
      return names.has(id) || (await fresh()).some((model) => model.id === id);
    },
    upstreamId: (id) => names.get(id) ?? id,
    async health(signal = new AbortController().signal) {
      const from = clock.monotonic();
      let message: string | null = null;
      let starting = false;
      try {
        const path = options.healthPath ?? healthPath;
        if (path === null) await ask(signal);
        else await probe(upstream, path, signal, limits);
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        message = error.message;
        starting = error.upstreamStatus === 503;
      }
      const count = (configured ?? listed).length;
      return {
        status: message === null ? 'ok' : starting ? 'starting' : 'degraded',
        latencyMs: message === null ? clock.monotonic() - from : null,
        modelsAvailable: count,
        modelsLoaded: message === null ? count : 0,
        breaker: { state: 'closed', failures: 0 },
        message,
        answers: message === null,
      };
    },
  };
}

/** Any readable 200 will do: health paths answer with text, JSON or nothing. */
async function probe(upstream: Upstream, path: string, signal: AbortSignal, limits: object): Promise<void> {
  try {
    await upstream.json({ method: 'GET', path, signal, limits });
  } catch (error) {
    const readable = ['upstream_empty', 'upstream_content_type', 'upstream_invalid_json'];
    if (!(error instanceof UpstreamError && readable.includes(error.code))) throw error;
  }
}

const EMBEDS = /embed|\bbge\b|\be5\b|\bgte\b|minilm/i;

/** What the server says of a model, in the words of those that say anything. */
function rowOf(model: RemoteModel, row: JsonObject, backend: string): BackendModel {
  const kith = isObject(row.kith) ? row.kith : {};
  const meta = isObject(row.meta) ? row.meta : {};
  const said = stringIn(kith.task);
  const task = said === 'chat' || said === 'completion' || said === 'embedding' ? said : null;
  const context = [
    row.max_model_len,
    row.context_length,
    row.context_window,
    row.max_context_length,
    row.max_input_tokens,
    kith.context,
    meta.n_ctx,
    meta.n_ctx_train,
  ].find((each) => (countIn(each) ?? 0) > 0);
  const created = countIn(row.created);
  return {
    id: model.id,
    task: model.task ?? task ?? (EMBEDS.test(model.id) ? 'embedding' : 'chat'),
    state: kith.state === 'ready' || kith.state === 'available' ? kith.state : 'loaded',
    ownedBy: stringIn(row.owned_by)?.slice(0, maxId) ?? backend,
    context: model.context ?? countIn(context),
    since: created === null || created === 0 ? null : created * 1000,
  };
}
