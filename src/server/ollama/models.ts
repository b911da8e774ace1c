/**
 * What is here: `GET /api/tags`, `GET /api/ps`, `POST /api/show`, `GET /api/version`.
 *
 * @module server/ollama/models
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ModelDescription } from '../../gateway/index.ts';
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
    const models = await Promise.all(
      installed.map(async (row) =>
        tagOf(await context.gateway.describe(row.id).catch(() => ({ ...bare, ...row }))),
      ),
    );
    sendJson(response, 200, { models });
  };
}

export function psRoute(context: ServerContext) {
  return async ({ response }: Exchange): Promise<void> => {
    const { loaded } = await context.control.status();
    const models = await Promise.all(
      loaded.map(async ({ id, device, context: window, weightBytes, kvBytes }) => {
        const size = weightBytes + kvBytes;
        const described = await context.gateway.describe(id);
        return {
          ...tagOf(described),
          size,
          size_vram: /^CPU\b/.test(device) ? 0 : size,
          context_length: window,
          expires_at: never,
        };
      }),
    );
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
    const described = await context.gateway.describe(modelId(name));
    const { id, licence, template, parameters, metadata, task } = described;
    sendJson(exchange.response, 200, {
      ...(licence === null ? {} : { license: licence }),
      modelfile: `# Kith keeps no Modelfiles; this is what one for the model would say.\nFROM ${id}\n`,
      parameters: '',
      template: template ?? '',
      details: detailsOf(described),
      model_info: {
        ...metadata,
        ...(parameters === null ? {} : { 'general.parameter_count': parameters }),
      },
      capabilities:
        task === 'embedding' ? ['embedding'] : task === 'chat' ? ['completion', 'tools'] : ['completion'],
      ...modifiedAt(described),
    });
  };
}

const bare = { licence: null, parameters: null, embedding: null, template: null, metadata: null } as const;

function tagOf(described: ModelDescription) {
  const name = modelName(described.id);
  return {
    name,
    model: name,
    ...modifiedAt(described),
    size: described.bytes ?? 0,
    digest: described.digest ?? '',
    details: detailsOf(described),
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
