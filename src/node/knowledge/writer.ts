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
import {
  type AttemptRecord,
  attemptsBefore,
  type Gateway,
  OWN_TERMS,
  type Receipt,
  type RouteReport,
} from '../../gateway/index.ts';
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
      try {
        for await (const event of events) {
          if (event.type === 'start') told?.(factsOf(event));
          else if (event.type === 'text') yield event.text;
          else if (event.type === 'usage')
            told?.({
              ...factsOf(event.receipt),
              ...{ promptTokens: event.promptTokens, completionTokens: event.completionTokens },
            });
        }
      } catch (error) {
        const sent = sentTo(attemptsBefore(error as object));
        const last = sent.at(-1);
        // Nobody answered, and yet the sources went there.
        if (last !== undefined) told?.({ ...NOWHERE, ...last, others: others(sent, last.backend) });
        throw error;
      }
    },
  };
}

async function contextOf(backend: WritingBackend, model: string | null): Promise<number> {
  if (model === null) return CONTEXT;
  const rows = await backend.models();
  return rows.find(({ id }) => id === model)?.context ?? CONTEXT;
}

const NOWHERE = {
  ...{ where: null, link: null, privacy: null, replaced: null, others: [] },
  ...{ promptTokens: null, completionTokens: null, cost: null },
} as const;

/** Those that were asked, and not only passed over. */
function sentTo(attempts: readonly AttemptRecord[]): { readonly backend: string; readonly model: string }[] {
  return attempts
    .filter(({ outcome }) => outcome !== 'skipped')
    .map(({ backend, model }) => ({ backend, model }));
}

function others(sent: readonly { readonly backend: string }[], but: string): string[] {
  return [...new Set(sent.map(({ backend }) => backend))].filter((backend) => backend !== but);
}

/** What an engine without a gateway says has no route: it is this machine. */
function factsOf({
  backend,
  model,
  route,
}: Pick<Receipt, 'backend' | 'model'> & { readonly route?: RouteReport }): WriterFacts {
  if (route === undefined) return { ...NOWHERE, backend, model, where: 'this_machine', cost: 0 };
  const { level, where, link, replaced } = route.privacy;
  return {
    ...{ ...NOWHERE, backend, model, where, link, privacy: level, cost: route.cost },
    others: others(sentTo(route.attempts), backend),
    replaced: replaced?.map((found) => ({ class: found.class, count: found.count })) ?? null,
  };
}
