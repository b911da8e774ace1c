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
import type { Conversation, Wording } from './conversation.ts';
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
  let failure: unknown = null;
  for (const wording of wordings(request, init.style)) {
    let started = false;
    try {
      for await (const event of chatInWords(request, wording, init, failure === null ? [] : [REMARK])) {
        started = true;
        yield event;
      }
      return;
    } catch (error) {
      if (started || !isTemplateFailure(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

const REMARK =
  "The model's chat template failed on this conversation with tools, so they were described to it in plain messages.";

/**
 * What to try, in order. Published templates expect what not every tool has (a description of each argument), or lack a
 * role.
 */
function wordings({ messages, tools = [] }: ChatRequest, style: ToolStyle | null): readonly Wording[] {
  const own = style ?? 'plain';
  const uses =
    tools.length > 0 || messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls !== undefined);
  if (!uses) return [own];
  return style === null ? ['plain', 'folded'] : [style, 'plain', 'folded'];
}

/** Not one that ran out of time or memory: that costs the text process each time. */
function isTemplateFailure(error: unknown): boolean {
  if (!isKithError(error)) return false;
  if (error.code === 'role_unsupported') return true;
  return error.code === 'template_failed' && ['refused', 'rendering'].includes(String(error.details.stage));
}

async function* chatInWords(
  request: ChatRequest,
  wording: Wording,
  { schemas, random, generate }: ToolChatInit,
  remarks: readonly string[],
): AsyncGenerator<ChatEvent> {
  const { conversation, grammar, shown, parser, notes } = await planTools(request, wording, schemas);
  const ends = parser === null ? [] : Array.from({ length: request.n }, () => new AbortController());
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
  let failure: unknown = null;
  for (const wording of wordings(request, style)) {
    try {
      return await count(promptOf(request, conversationFor(request, wording)));
    } catch (error) {
      if (!isTemplateFailure(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

function promptOf({ variables, prefill }: ChatRequest, conversation: Conversation): Prompt {
  return {
    kind: 'messages',
    ...conversation,
    ...(variables === undefined ? {} : { variables }),
    ...(prefill === undefined ? {} : { prefill }),
  };
}
