/**
 * An answer of a knowledge base as clients of chat completions read it: `[n]` in the text, the same as annotations, as OpenAI's
 * models that search the web give them, and as a list in which `[n]` is the n-th, as others do.
 *
 * Clients that number sources by themselves do so in the order in which they come. So sources have here the numbers of their
 * first citation, and those that nothing cites come behind.
 *
 * @module server/rag/openai-answer
 */
import type { AnswerEvent, Citation, Source } from '../../knowledge/index.ts';
import type { AnswerEventView, SourceView } from './answer-types.ts';
import { sourceView } from './answers.ts';

export type AnyAnswerEvent = AnswerEvent | AnswerEventView;
type Event<Type extends AnswerEvent['type']> = Extract<AnswerEvent, { readonly type: Type }>;

export interface KbMessage {
  readonly content: string;
  readonly annotations: readonly UrlCitation[];
  readonly citations: readonly string[];
  readonly search_results: readonly { readonly title: string; readonly url: string }[];
  readonly finish_reason: 'stop' | 'length';
  /** Of the models that were asked for it; absent where none was, or one did not count. */
  readonly usage?: Usage;
  readonly kith: object;
}

export interface UrlCitation {
  readonly type: 'url_citation';
  readonly url_citation: {
    /** Of its `[n]` in the text: first code point, and the one behind the last. */
    readonly start_index: number;
    readonly end_index: number;
    readonly url: string;
    readonly title: string;
  };
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface KbReading {
  /** Text that the event makes certain; often none. */
  add(event: AnyAnswerEvent): string;
  /** When all events came. */
  message(): KbMessage;
}

/** Where a passage stands, for clients that want a URL. */
export function passageUrl(kb: string, { path, place }: Pick<SourceView, 'path' | 'place'>): string {
  const at =
    place.page !== undefined ? `#page=${place.page}` : place.line !== undefined ? `#line=${place.line}` : '';
  return `kith://${kb}/${path.split('/').map(encodeURIComponent).join('/')}${at}`;
}

const MARK = /\[(\d{1,4})\]/gu;

export function readAnswer(kb: string): KbReading {
  const sources = new Map<number, SourceView>();
  /** Numbers that the reader sees, by those of the sources. */
  const shown = new Map<number, number>();
  const citations: Citation[] = [];
  const annotations: UrlCitation[] = [];
  const warnings: Pick<Event<'warning'>, 'code' | 'message'>[] = [];
  const writers: Omit<Event<'writer'>, 'type'>[] = [];
  let looked: Extract<AnyAnswerEvent, { type: 'sources' }> | null = null;
  let finish: Event<'finish'> | null = null;
  let content = '';
  let points = 0;
  /** Waits for its citations, which come behind it: only what is cited is a mark. */
  let held = '';
  let cited = new Set<number>();

  const numberOf = (n: number): number => {
    const number = shown.get(n) ?? shown.size + 1;
    shown.set(n, number);
    return number;
  };

  function flush(): string {
    let given = '';
    let from = 0;
    const add = (text: string): void => {
      given += text;
      points += lengthOf(text);
    };
    for (const match of held.matchAll(MARK)) {
      const source = sources.get(Number(match[1]));
      if (source === undefined || !cited.has(source.n)) continue;
      add(held.slice(from, match.index));
      from = match.index + match[0].length;
      const start_index = points;
      add(`[${numberOf(source.n)}]`);
      const url_citation = {
        ...{ start_index, end_index: points, url: passageUrl(kb, source), title: source.title },
      };
      annotations.push({ type: 'url_citation', url_citation });
    }
    add(held.slice(from));
    held = '';
    cited = new Set();
    content += given;
    return given;
  }

  return {
    add(event) {
      switch (event.type) {
        case 'sources':
          looked = event;
          for (const source of event.sources) sources.set(source.n, viewOf(source));
          return '';
        case 'text': {
          const before = flush();
          held = event.text;
          return before;
        }
        case 'citation': {
          const { type: _, ...citation } = event;
          citations.push(citation);
          cited.add(citation.n);
          return '';
        }
        case 'warning':
          warnings.push({ code: event.code, message: event.message });
          return '';
        case 'writer': {
          const { type: _, ...note } = event;
          writers.push(note);
          return '';
        }
        case 'sentence':
          return event.given ? flush() : '';
        case 'finish':
          finish = event;
          return flush();
      }
    },
    message() {
      for (const n of sources.keys()) numberOf(n);
      const order = [...shown].sort(([, a], [, b]) => a - b).map(([n]) => sources.get(n)!);
      const urls = order.map((source) => passageUrl(kb, source));
      return {
        content,
        annotations,
        citations: urls,
        search_results: order.map(({ title }, i) => ({ title, url: urls[i]! })),
        ...usageOf(finish?.cached === undefined ? writers : []),
        finish_reason: warnings.some(({ code }) => code === 'answer_cut') ? 'length' : 'stop',
        kith: {
          kb,
          outcome: finish?.outcome ?? null,
          reason: finish?.reason ?? null,
          question: looked?.question ?? null,
          rewritten_by: looked?.rewrittenBy ?? null,
          route: looked?.route ?? null,
          steps: looked?.steps ?? [],
          cached:
            finish?.cached === undefined
              ? null
              : { age_ms: finish.cached.ageMs, similarity: finish.cached.similarity },
          sources: order.map((source, i) => ({ ...source, n: i + 1, url: urls[i]! })),
          citations: citations.map((citation) => ({ ...citation, n: shown.get(citation.n) ?? 0 })),
          writers,
          warnings,
        },
      };
    },
  };
}

function usageOf(writers: readonly Omit<Event<'writer'>, 'type'>[]): { usage?: Usage } {
  let [prompt, completion] = [0, 0];
  for (const { promptTokens, completionTokens } of writers) {
    if (promptTokens === null || completionTokens === null) return {};
    prompt += promptTokens;
    completion += completionTokens;
  }
  if (writers.length === 0) return {};
  return {
    usage: {
      ...{ prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
    },
  };
}

const viewOf = (source: Source | SourceView): SourceView =>
  'document' in source ? sourceView(source) : source;

/** Code points, as OpenAI counts. */
function lengthOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
