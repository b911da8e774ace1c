/**
 * Web search through a SearXNG server: its JSON API (`GET /search?q=...&format=json`,
 * https://docs.searxng.org/dev/search_api.html).
 *
 * SearXNG passes the question on to search engines on the internet, so that it counts as a provider wherever it runs.
 *
 * @module gateway/ladder/searxng
 */
import { z } from 'zod';
import type { Clock } from '../../base/index.ts';
import { createUpstream, type UpstreamLimits } from '../upstream/index.ts';
import { FINDING_LIMITS } from './finding.ts';
import { readLocale } from './locale.ts';
import type { SearchAdapter, SearchPlace, SearchSource } from './types.ts';

export interface SearxngOptions {
  /** @default 'searxng' */
  readonly name?: string;
  /** `http:` or `https:` address of the server, as far as the slash before `search`. */
  readonly baseUrl: string;
  /**
   * Where questions end up. Declare it `owned` only for a server that asks nothing but indexes of the owner.
   *
   * @default a provider, reached by TLS, or in the clear unless the address is this machine
   */
  readonly destination?: SearchPlace;
  /** Results shown, 1 to 8. @default 5 */
  readonly results?: number;
  /** 0: none, 1: moderate, 2: strict. @default 1 */
  readonly safeSearch?: 0 | 1 | 2;
  /** Comma-separated names, as SearXNG knows them. @default as the server is set up */
  readonly categories?: string;
  /** Sent with each request: credentials of a proxy before it. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly limits?: Partial<UpstreamLimits>;
  readonly tls?: { readonly ca?: string | readonly string[] };
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** Longer texts are no search query. */
export const MAX_QUERY = 300;

const LIMITS: Partial<UpstreamLimits> = {
  connectMs: 3000,
  headersMs: 10_000,
  totalMs: 12_000,
  maxResponseBytes: 2 ** 20,
};

/** Bounded before it is looked at: an array of a megabyte can hold hundreds of thousands of results. */
const Answer = z.looseObject({
  results: z
    .array(z.unknown())
    .transform((results) => results.slice(0, 50))
    .default([]),
  answers: z
    .array(z.unknown())
    .transform((answers) => answers.slice(0, 3))
    .default([]),
});
const Result = z.looseObject({
  url: z.string(),
  title: z.string().nullish(),
  content: z.string().nullish(),
});
/** A text in older versions; since 2024 an object that names its source. */
const DirectAnswer = z.looseObject({ answer: z.string(), url: z.string().nullish() });

/** Throws `InputError` for an address that is none. */
export function createSearxng(options: SearxngOptions): SearchAdapter {
  const { name = 'searxng', results = 5, safeSearch = 1, categories } = options;
  const upstream = createUpstream({
    baseUrl: options.baseUrl,
    limits: { ...LIMITS, ...options.limits },
    maxConnections: 4,
    ...(options.secretHeaders && { secretHeaders: options.secretHeaders }),
    ...(options.tls && { tls: options.tls }),
    clock: options.clock,
  });
  return {
    name,
    destination: options.destination ?? { kind: 'provider', link: linkOf(options.baseUrl) },
    async search(question, { locale, signal }) {
      // `!` at the start of a word chooses engines, `:` a language: commands that a question never means.
      const query = question
        .replace(/\s+/g, ' ')
        .replace(/(^| )[!:]+/g, '$1')
        .trim();
      if (query === '' || query.length > MAX_QUERY) return null;
      const { language } = readLocale(locale);
      const parameters = new URLSearchParams({ q: query, format: 'json', safesearch: String(safeSearch) });
      if (language !== null) parameters.set('language', language);
      if (categories !== undefined) parameters.set('categories', categories);
      const { body } = await upstream.json({ method: 'GET', path: `/search?${parameters}`, signal });
      return findingOf(body, Math.min(Math.max(1, results), FINDING_LIMITS.sources));
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

function findingOf(body: unknown, count: number) {
  const answer = Answer.safeParse(body);
  if (!answer.success) return null;
  const sources: SearchSource[] = [];
  const seen = new Set<string>();
  const add = (source: SearchSource & { readonly url: string }) => {
    // What other schemes open is no page.
    if (sources.length >= count || !/^https?:\/\//i.test(source.url) || seen.has(source.url)) return;
    seen.add(source.url);
    sources.push(source);
  };
  for (const item of answer.data.answers) {
    const direct = DirectAnswer.safeParse(item);
    if (direct.success && direct.data.url) add({ title: '', url: direct.data.url, text: direct.data.answer });
  }
  for (const item of answer.data.results) {
    const result = Result.safeParse(item);
    if (!result.success) continue;
    const { url, title, content } = result.data;
    add({ title: title ?? '', url, text: content ?? '' });
  }
  return sources.length === 0 ? null : { text: null, sources };
}

function linkOf(baseUrl: string): 'encrypted' | 'open' {
  // An address that is none is refused before; what stays on this machine is seen by nobody on the way.
  const { protocol, hostname } = new URL(baseUrl);
  const here = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || here ? 'encrypted' : 'open';
}
