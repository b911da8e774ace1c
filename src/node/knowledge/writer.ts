/**
 * Who writes answers from knowledge bases: a model of the node's gateway, under the owner's terms.
 *
 * What it is sent are passages of the owner's documents, so the privacy level of the configuration goes along. Nothing may stand in
 * for an answer, since that would be held against the sources as if a model had read them, and nothing is kept: the marks around
 * sources are drawn anew each time, so no kept answer would ever serve.
 *
 * @module node/knowledge/writer
 */
import type { Config } from '../../base/index.ts';
import { type Gateway, OWN_TERMS, type Receipt, type RouteReport } from '../../gateway/index.ts';
import type { Writer, WriterFacts } from '../../knowledge/index.ts';

/** A gateway, or this machine's engine alone where no node runs. */
export type WritingBackend = Pick<Gateway, 'chat' | 'models'> & {
  /** The model for requests that name none, where the backend does not choose by itself. */
  defaultModel?(task: 'chat'): string | null;
  /** Who answers how much now. */
  backends?(): readonly { readonly inFlight: number }[];
};

export interface WriterParts {
  readonly backend: WritingBackend;
  readonly config: { readonly gateway: Pick<Config['gateway'], 'privacy'> };
}

/** Tokens of a context that is unknown: every model of this decade has them, and sources with their answer need no more. */
const CONTEXT = 4096;

/** @param model as the gateway names it; `auto`: it chooses */
export async function openWriter({ backend, config }: WriterParts, model: string): Promise<Writer> {
  const named = model === 'auto' ? (backend.defaultModel?.('chat') ?? null) : model;
  const context = await contextOf(backend, named);
  return {
    ...{ id: model, context },
    async *write(messages, { maxTokens, temperature, signal, told }) {
      const events = backend.chat({
        ...{ model: named, messages, maxTokens, signal },
        ...{ n: 1, sampler: { temperature }, stop: [], overflow: 'error', keepTokens: 0, timeoutMs: null },
        terms: { ...OWN_TERMS, privacy: config.gateway.privacy, cache: 'off', degrade: 'none' },
      });
      for await (const event of events) {
        if (event.type === 'start') told?.(factsOf(event));
        else if (event.type === 'text') yield event.text;
        else if (event.type === 'usage')
          told?.({
            ...factsOf(event.receipt),
            ...{ promptTokens: event.promptTokens, completionTokens: event.completionTokens },
          });
      }
    },
  };
}

async function contextOf(backend: WritingBackend, model: string | null): Promise<number> {
  if (model === null) return CONTEXT;
  const rows = await backend.models();
  return rows.find(({ id }) => id === model)?.context ?? CONTEXT;
}

/** What an engine without a gateway says has no route: it is this machine. */
function factsOf({
  backend,
  model,
  route,
}: Pick<Receipt, 'backend' | 'model'> & { readonly route?: RouteReport }): WriterFacts {
  const unused = { promptTokens: null, completionTokens: null };
  if (route === undefined)
    return {
      ...{ backend, model, where: 'this_machine', link: null, privacy: null, replaced: null },
      ...{ ...unused, cost: 0 },
    };
  const { level, where, link, replaced } = route.privacy;
  return {
    ...{ backend, model, where, link, privacy: level, ...unused, cost: route.cost },
    replaced: replaced?.map((found) => ({ class: found.class, count: found.count })) ?? null,
  };
}
