/**
 * Who reads passages of knowledge bases into values: a model of the node's gateway, held to a JSON Schema, under the owner's terms as
 * a writer is.
 *
 * @module node/knowledge/extractor
 */
import { OWN_TERMS } from '../../gateway/index.ts';
import type { Extractor } from '../../knowledge/index.ts';
import type { WriterParts } from './writer.ts';

/** Tokens of a context that is unknown. */
const CONTEXT = 4096;

/** @param model as the gateway names it; `auto`: it chooses */
export async function openExtractor({ backend, config }: WriterParts, model: string): Promise<Extractor> {
  const named = model === 'auto' ? (backend.defaultModel?.('chat') ?? null) : model;
  const row = named === null ? undefined : (await backend.models()).find(({ id }) => id === named);
  return {
    ...{ id: named ?? model, context: row?.context ?? CONTEXT },
    async extract(messages, schema, { maxTokens, temperature, signal }) {
      let text = '';
      const events = backend.chat({
        ...{ model: named, messages, maxTokens, signal, grammar: { kind: 'json_schema', schema } },
        ...{ n: 1, sampler: { temperature }, stop: [], overflow: 'error', keepTokens: 0, timeoutMs: null },
        terms: { ...OWN_TERMS, privacy: config.gateway.privacy, cache: 'off', degrade: 'none' },
      });
      for await (const event of events) if (event.type === 'text') text += event.text;
      return text;
    },
  };
}
