/**
 * Every API through which texts come in: how a text is asked in it, and where the answer's text stands.
 *
 * @module test/gateway-privacy/apis
 */
import { type Json, MODEL, post, type Reply } from './kith.ts';

export interface Api {
  readonly name: string;
  /** Backends that can answer it. */
  readonly backends: readonly ('openai' | 'anthropic')[];
  readonly streams: boolean;
  ask(url: string, text: string, stream: boolean, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** What was said; null where the answer holds no text. */
  said(parts: readonly Json[]): string | null;
}

const both = ['openai', 'anthropic'] as const;
const openAiOnly = ['openai'] as const;
const join = (parts: readonly Json[], of: (part: Json) => unknown) =>
  parts.map((part) => of(part) ?? '').join('');

export const APIS: readonly Api[] = [
  {
    name: 'OpenAI chat',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(
        `${url}/v1/chat/completions`,
        { model: MODEL, messages: [{ role: 'user', content: text }], stream, kith: { receipt: true } },
        headers,
      ),
    said: (parts) =>
      join(parts, ({ choices: [choice] = [] }: Json) => (choice?.delta ?? choice?.message)?.content),
  },
  {
    name: 'OpenAI completions',
    backends: openAiOnly,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(`${url}/v1/completions`, { model: MODEL, prompt: text, stream, kith: { receipt: true } }, headers),
    said: (parts) => join(parts, ({ choices: [choice] = [] }: Json) => choice?.text),
  },
  {
    name: 'OpenAI responses',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(`${url}/v1/responses`, { model: MODEL, input: text, stream, store: false }, headers),
    said: (parts) => {
      const deltas = parts.filter(({ type }) => type === 'response.output_text.delta');
      if (deltas.length > 0) return join(deltas, ({ delta }) => delta);
      return join(parts, ({ output = [] }: Json) =>
        output.flatMap(({ content = [] }: Json) => content.map(({ text }: Json) => text)).join(''),
      );
    },
  },
  {
    name: 'OpenAI embeddings',
    backends: openAiOnly,
    streams: false,
    ask: (url, text, _stream, headers) =>
      post(`${url}/v1/embeddings`, { model: 'e', input: ['plain', text] }, headers),
    said: () => null,
  },
  {
    name: 'Anthropic messages',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(
        `${url}/v1/messages`,
        { model: MODEL, max_tokens: 2000, messages: [{ role: 'user', content: text }], stream },
        headers,
      ),
    said: (parts) => {
      const deltas = parts.filter(({ type }) => type === 'content_block_delta');
      if (deltas.length > 0) return join(deltas, ({ delta }) => delta.text);
      return join(parts, ({ content = [] }: Json) => content.map(({ text }: Json) => text).join(''));
    },
  },
  {
    name: 'Ollama chat',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(`${url}/api/chat`, { model: MODEL, messages: [{ role: 'user', content: text }], stream }, headers),
    said: (parts) => join(parts, ({ message }) => message?.content),
  },
  {
    name: 'Ollama generate',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(`${url}/api/generate`, { model: MODEL, prompt: text, stream }, headers),
    said: (parts) => join(parts, ({ response }) => response),
  },
  {
    name: 'Ollama embed',
    backends: openAiOnly,
    streams: false,
    ask: (url, text, _stream, headers) => post(`${url}/api/embed`, { model: 'e', input: text }, headers),
    said: () => null,
  },
  {
    name: 'NS-LLM generate',
    backends: both,
    streams: true,
    ask: (url, text, stream, headers) =>
      post(`${url}/generate`, { model: MODEL, prompt: text, stream }, headers),
    said: (parts) => {
      const whole = parts.find(({ text }) => typeof text === 'string');
      if (whole !== undefined && parts.length === 1) return whole.text;
      return join(parts, ({ token, text }: Json) => token ?? text);
    },
  },
  {
    name: 'NS-LLM embed',
    backends: openAiOnly,
    streams: false,
    ask: (url, text, _stream, headers) => post(`${url}/embed`, { model: 'e', text }, headers),
    said: () => null,
  },
];
