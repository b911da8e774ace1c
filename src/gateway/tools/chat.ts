/**
 * A chat on a backend that renders templates and holds answers to grammars: offers the tools, reads the calls, and does
 * without the template's own words for tools where the template fails on them.
 *
 * @module gateway/tools/chat
 */
import { isKithError, type Random } from '../../base/index.ts';
import type { Grammar, Prompt, ToolStyle } from '../../engine/index.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import { readCalls } from './answer.ts';
import type { Conversation } from './conversation.ts';
import { conversationFor, planTools } from './plan.ts';
import type { ToolSchemas } from './schemas.ts';

/** What the backend is asked for. */
export interface PlannedChat {
  readonly prompt: Prompt;
  readonly extra: { readonly grammar?: Grammar; readonly shown?: readonly string[] };
  readonly notes: readonly string[];
  /** Each ends one choice, which then finishes as aborted. */
  readonly ends: readonly AbortSignal[];
}

export interface ToolChatInit {
  /** How the model's template writes calls. */
  readonly style: ToolStyle | null;
  readonly schemas: ToolSchemas;
  /** Source of the ids of calls. */
  readonly random: Random;
  readonly generate: (planned: PlannedChat) => AsyncIterable<ChatEvent>;
}

export async function* chatWithTools(request: ChatRequest, init: ToolChatInit): AsyncGenerator<ChatEvent> {
  let started = false;
  try {
    for await (const event of chatInStyle(request, init.style, init, [])) {
      started = true;
      yield event;
    }
  } catch (error) {
    if (started || !failedOnTools(error, request, init.style)) throw error;
    yield* chatInStyle(request, null, init, [
      "The model's chat template failed on this conversation with tools, so they were described to it in plain messages.",
    ]);
  }
}

async function* chatInStyle(
  request: ChatRequest,
  style: ToolStyle | null,
  { schemas, random, generate }: ToolChatInit,
  remarks: readonly string[],
): AsyncGenerator<ChatEvent> {
  const { conversation, grammar, shown, parser, notes } = planTools(request, style, schemas);
  const ends = Array.from({ length: request.n }, () => new AbortController());
  const events = generate({
    ends: ends.map(({ signal }) => signal),
    prompt: promptOf(request, conversation),
    extra: grammar === null ? {} : { grammar, shown },
    notes: [...remarks, ...notes],
  });
  yield* parser === null ? events : readCalls(events, parser, random, (choice) => ends[choice]?.abort());
}

/** Tokens of the prompt that `chatWithTools` makes. */
export async function countWithTools(
  request: ChatRequest,
  style: ToolStyle | null,
  count: (prompt: Prompt) => Promise<number>,
): Promise<number> {
  try {
    return await count(promptOf(request, conversationFor(request, style)));
  } catch (error) {
    if (!failedOnTools(error, request, style)) throw error;
    return count(promptOf(request, conversationFor(request, null)));
  }
}

function promptOf({ variables, prefill }: ChatRequest, conversation: Conversation): Prompt {
  return {
    kind: 'messages',
    ...conversation,
    ...(variables === undefined ? {} : { variables }),
    ...(prefill === undefined ? {} : { prefill }),
  };
}

/** Published templates expect what not every tool has (a description of each argument), or a role that they lack. */
function failedOnTools(
  error: unknown,
  { messages, tools = [] }: ChatRequest,
  style: ToolStyle | null,
): boolean {
  if (style === null || !isKithError(error)) return false;
  if (error.code !== 'template_failed' && error.code !== 'role_unsupported') return false;
  return (
    tools.length > 0 || messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls !== undefined)
  );
}
