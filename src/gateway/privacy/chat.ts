/**
 * The gateway's requests before they leave, and its events before the owner sees them.
 *
 * @module gateway/privacy/chat
 */
import type { Grammar } from '../../engine/index.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import type { Conversation } from './conversation.ts';
import { isPersonalName } from './detect.ts';
import { visitValue } from './json.ts';
import { type Hiding, hideContent, hideMessage, hideSchema } from './messages.ts';
import type { Restorer } from './restore.ts';
import { type FoundClass, Tally } from './tally.ts';
import type { Span } from './types.ts';

/** What was done to one request, for its receipt. Holds no values. */
export interface PrivacyReport {
  readonly found: readonly FoundClass[];
  /** Kinds of content that nobody looked into (`image_url`, `token_ids`, ...), each once. Empty: all was read. */
  readonly unchecked: readonly string[];
}

/** What of a chat request holds texts. */
export type ChatTexts = Pick<
  ChatRequest,
  'messages' | 'stop' | 'tools' | 'grammar' | 'prefill' | 'variables'
>;

export interface HiddenChat<R> {
  readonly request: R;
  readonly report: PrivacyReport;
}

/**
 * Runs `walk` twice: first to learn who and what is named anywhere in the request, then to replace it everywhere.
 */
function twice<T>(
  conversation: Conversation,
  walk: (hiding: Hiding) => T,
): { result: T; report: PrivacyReport } {
  const tally = new Tally();
  const unchecked = new Set<string>();
  const learned = new Map<string, readonly Span[]>();
  walk({
    visit: (text, cue) => {
      learned.set(`${cue}\n${text}`, conversation.learn(text, cue));
      return text;
    },
    visitName: (name) => name,
    visitKey: (text) => {
      conversation.learn(text);
      return text;
    },
    check: () => {},
    skip: () => {},
  });
  const result = walk({
    visit: (text, cue) => {
      const spans = learned.get(`${cue}\n${text}`);
      return conversation.hide(text, { cue, tally, ...(spans && { learned: spans }) });
    },
    visitName: (name) => conversation.hide(name, { whole: 'name', bare: true, tally }),
    visitKey: (text) => conversation.hide(text, { bare: true, tally }),
    check: (text, what) => {
      if (isPersonalName(text)) unchecked.add(what);
    },
    skip: (what) => unchecked.add(what),
  });
  return { result, report: { found: tally.found(), unchecked: [...unchecked].sort() } };
}

/** A chat request whose texts hold placeholders. `signal` and options are the same objects. */
export function hideChat<R extends ChatTexts>(request: R, conversation: Conversation): HiddenChat<R> {
  const { result, report } = twice(conversation, (hiding): R => {
    const { visit } = hiding;
    return {
      ...request,
      messages: request.messages.map((message) => hideMessage(message, hiding)),
      stop: request.stop.map((text) => visit(text, '')),
      ...(request.tools && {
        tools: request.tools.map((tool) => {
          hiding.check(tool.name, 'name of a tool');
          return {
            ...tool,
            description: tool.description === null ? null : visit(tool.description, ''),
            parameters: hideSchema(tool.parameters, hiding),
          };
        }),
      }),
      ...(request.grammar && { grammar: hideGrammar(request.grammar, hiding) }),
      ...(request.prefill !== undefined && { prefill: visit(request.prefill, '') }),
      ...(request.variables && {
        variables: visitValue(request.variables, visit) as Readonly<Record<string, unknown>>,
      }),
    };
  });
  return { request: result, report };
}

/** A body in the shape of OpenAI's chat completions or Anthropic's messages, for backends that are sent bodies. */
export function hideBody<B extends object>(body: B, conversation: Conversation): HiddenChat<B> {
  const { result, report } = twice(conversation, (hiding) =>
    Object.fromEntries(Object.entries(body).map(([key, value]) => [key, hideField(key, value, hiding)])),
  );
  return { request: result as B, report };
}

/** Fields of a body that are no text of the user's. */
const OPTIONS = new Set([
  'model',
  'stream',
  'stream_options',
  'tool_choice',
  'service_tier',
  'reasoning_effort',
  'encoding_format',
]);

function hideField(key: string, value: unknown, hiding: Hiding): unknown {
  if (OPTIONS.has(key)) return value;
  if (key === 'messages' && Array.isArray(value)) {
    return value.map((message) =>
      isObject(message) ? hideMessage(message, hiding) : visitValue(message, hiding.visit),
    );
  }
  if (key === 'system' || key === 'prompt' || key === 'input') {
    if (Array.isArray(value) && value.some((item) => typeof item === 'number' || Array.isArray(item))) {
      hiding.skip('token_ids');
      return value;
    }
    return hideContent(value, hiding);
  }
  if (key === 'tools' && Array.isArray(value)) return value.map((tool) => hideTool(tool, hiding));
  if (key === 'response_format' || key === 'format') return hideSchema(value, hiding);
  return visitValue(value, hiding.visit);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{ type, function: { name, description, parameters } }` or `{ name, description, input_schema }`. */
function hideTool(tool: unknown, hiding: Hiding): unknown {
  const { visit, check } = hiding;
  if (!isObject(tool)) return visitValue(tool, visit);
  return Object.fromEntries(
    Object.entries(tool).map(([key, value]) => {
      if (key === 'name' && typeof value === 'string') check(value, 'name of a tool');
      if (key === 'name' || key === 'type') return [key, value];
      if (key === 'function') return [key, hideTool(value, hiding)];
      return [key, key === 'description' ? visitValue(value, visit) : hideSchema(value, hiding)];
    }),
  );
}

/** Texts of the answer's form. */
function hideGrammar(grammar: Grammar, hiding: Hiding): Grammar {
  const { visit, skip } = hiding;
  const inner = (part: Grammar) => hideGrammar(part, hiding);
  switch (grammar.kind) {
    case 'json_schema':
      return { ...grammar, schema: hideSchema(grammar.schema, hiding) };
    case 'literal':
      return { ...grammar, text: visit(grammar.text, '') };
    case 'sequence':
      return { ...grammar, parts: grammar.parts.map(inner) };
    case 'choice':
      return { ...grammar, options: grammar.options.map(inner) };
    case 'repeat':
      return { ...grammar, part: inner(grammar.part), between: inner(grammar.between) };
    case 'text':
      return { ...grammar, until: grammar.until.map((text) => visit(text, '')), next: inner(grammar.next) };
    case 'regex':
      skip('form of the answer (a regular expression)');
      return grammar;
    default:
      return grammar;
  }
}

/**
 * The events with values in the places of placeholders, in text and in the arguments of calls. Log-probabilities stay as
 * the model gave them: they speak of the placeholders.
 *
 * @param textIsJson the answer is held to JSON: values are written as JSON strings write them
 * @param before what the answer begins with already, restored
 */
export async function* restoreEvents(
  events: AsyncIterable<ChatEvent>,
  conversation: Conversation,
  textIsJson = false,
  before = '',
): AsyncGenerator<ChatEvent> {
  const texts = new Map<number, Restorer>();
  /** Of the call each choice is in. */
  const calls = new Map<number, { index: number; restorer: Restorer }>();

  function* closeText(choice: number): Generator<ChatEvent> {
    // The restorer stays: what comes after a call goes on with the same text.
    const rest = texts.get(choice)?.end() ?? '';
    if (rest !== '') yield { type: 'text', choice, text: rest, logprobs: null };
  }
  function* closeCall(choice: number): Generator<ChatEvent> {
    const call = calls.get(choice);
    calls.delete(choice);
    const rest = call?.restorer.end() ?? '';
    if (call !== undefined && rest !== '')
      yield { type: 'tool_arguments', choice, index: call.index, text: rest };
  }

  for await (const event of events) {
    if (event.type === 'text') {
      yield* closeCall(event.choice);
      const restorer = texts.get(event.choice) ?? conversation.restorer({ json: textIsJson, before });
      texts.set(event.choice, restorer);
      const text = restorer.push(event.text);
      if (text !== '' || event.logprobs !== null) yield { ...event, text };
    } else if (event.type === 'tool_call') {
      yield* closeText(event.choice);
      yield* closeCall(event.choice);
      calls.set(event.choice, { index: event.index, restorer: conversation.restorer({ json: true }) });
      yield event;
    } else if (event.type === 'tool_arguments') {
      const text = calls.get(event.choice)?.restorer.push(event.text) ?? event.text;
      if (text !== '') yield { ...event, text };
    } else {
      if (event.type === 'finish') {
        yield* closeText(event.choice);
        yield* closeCall(event.choice);
      }
      yield event.type === 'finish' && event.stop !== null
        ? { ...event, stop: conversation.restore(event.stop) }
        : event;
    }
  }
}
