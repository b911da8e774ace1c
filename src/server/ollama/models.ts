/**
 * What is here: `GET /api/tags`, `GET /api/ps`, `POST /api/show`, `GET /api/version`.
 *
 * @module server/ollama/models
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { BackendModel, ModelDescription } from '../../gateway/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { optional, parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { modelId, modelName } from './names.ts';
import { model } from './options.ts';

/** Of Ollama's API, which these routes follow; clients compare it before they use a field. */
const apiVersion = '0.12.11';
/** Clients want a time. Models here stay until memory is needed, so it is one that does not come. */
const never = '2286-11-20T17:46:39Z';

export const showSchema = z.object({
  model: optional(model),
  /** The field's older name. */
  name: optional(model),
  verbose: optional(z.boolean()),
});

export function versionRoute(context: ServerContext) {
  return ({ response }: Exchange): void => {
    sendJson(response, 200, { version: apiVersion, kith: context.version });
  };
}

/** Models that answer without a download. */
export function tagsRoute(context: ServerContext) {
  return async ({ response }: Exchange): Promise<void> => {
    const installed = (await context.gateway.models()).filter(
      ({ installed = true, state }) => installed || state === 'loaded',
    );
    const models = [];
    for (const row of installed) models.push(tagOf(await described(context, row)));
    sendJson(response, 200, { models });
  };
}

export function psRoute(context: ServerContext) {
  return async ({ response }: Exchange): Promise<void> => {
    const { loaded } = await context.control.status();
    const rows = new Map((await context.gateway.models()).map((row) => [row.id, row]));
    const models = [];
    for (const { id, device, context: window, weightBytes, kvBytes } of loaded) {
      const row = rows.get(id);
      if (row === undefined) continue;
      const size = weightBytes + kvBytes;
      models.push({
        ...tagOf(await described(context, row)),
        size,
        size_vram: /^CPU\b/.test(device) ? 0 : size,
        context_length: window,
        expires_at: never,
      });
    }
    sendJson(response, 200, { models });
  };
}

export function showRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseBody(showSchema, await exchange.json({ programs: true }));
    const name = body.model ?? body.name;
    if (name === undefined) {
      throw new InputError('invalid_type', 'model: name the model to show', { param: 'model' });
    }
    const model = await context.gateway.describe(modelId(name));
    const { id, licence, template, task } = model;
    sendJson(exchange.response, 200, {
      ...(licence === null ? {} : { license: licence }),
      modelfile: `# Kith keeps no Modelfiles; this is what one for the model would say.\nFROM ${id}\n`,
      parameters: '',
      template: template ?? '',
      details: detailsOf(model),
      model_info: modelInfo(model),
      capabilities:
        task === 'chat'
          ? ['completion', 'tools']
          : task === 'completion'
            ? ['completion']
            : // Ollama has no word for rerankers.
              task === 'embedding'
              ? ['embedding']
              : [],
      ...modifiedAt(model),
    });
  };
}

/** One at a time, for headers can be large; what a file that cannot be read would say stays unknown. */
async function described(context: ServerContext, row: BackendModel): Promise<ModelDescription> {
  return await context.gateway.describe(row.id).catch(() => ({ ...unknown, ...row }));
}

const unknown = { licence: null, parameters: null, embedding: null, template: null, metadata: null } as const;

/** What the manifest knows stands in for a file that is not here. */
function modelInfo({ metadata, parameters, family, context }: ModelDescription): object {
  if (metadata === null) {
    if (family === undefined) return {};
    return {
      'general.architecture': family,
      ...(context === null ? {} : { [`${family}.context_length`]: context }),
    };
  }
  return { ...metadata, ...(parameters === null ? {} : { 'general.parameter_count': parameters }) };
}

function tagOf(model: ModelDescription) {
  const name = modelName(model.id);
  return {
    name,
    model: name,
    ...modifiedAt(model),
    size: model.bytes ?? 0,
    digest: model.digest ?? '',
    details: detailsOf(model),
  };
}

function detailsOf({ family = '', quantisation = '', parameters }: ModelDescription) {
  return {
    parent_model: '',
    format: 'gguf',
    family,
    families: family === '' ? [] : [family],
    parameter_size: parameters === null ? '' : parameterSize(parameters),
    quantization_level: quantisation,
  };
}

function modifiedAt({ since }: ModelDescription): { modified_at?: string } {
  return since === null ? {} : { modified_at: new Date(since).toISOString() };
}

/** `1.1B` for 1 100 048 384. */
export function parameterSize(count: number): string {
  for (const [unit, size] of [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const) {
    if (count >= size) return `${(count / size).toFixed(count >= 100 * size ? 0 : 1)}${unit}`;
  }
  return String(count);
}
