/**
 * One model's text side: tokenizer, templates and the way from a prompt to tokens. Runs in the text thread, and
 * anywhere else for trusted files.
 *
 * @module engine/text/model-text
 */

import { InputError } from '../../base/index.ts';
import type { Gguf } from '../../models/index.ts';
import { fileSource, readGguf } from '../../models/index.ts';
import { createFullTokenizer, type FullTokenizer, overLimit, type Steps } from '../tokenizer/index.ts';
import type { ChatMessage, EncodeOptions, Prompt, ToolStyle } from '../types.ts';
import { type TemplateSource, templateChooser } from './choose-template.ts';
import { createGuard } from './guard.ts';
import { refuseLeftOut } from './left-out.ts';
import type { TextOptions } from './protocol.ts';
import { toolStyleOf } from './tool-style.ts';

export interface TextInfo {
  readonly kind: 'llama' | 'gpt2' | 'bert';
  /** Tokens in the vocabulary. */
  readonly size: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly eog: readonly number[];
  /** A template came with the model (in the file or given). */
  readonly hasTemplate: boolean;
  /** How the template for conversations with tools writes calls; null when it does not, or in another way. */
  readonly toolStyle: ToolStyle | null;
}

export interface PreparedPrompt {
  readonly tokens: Int32Array<ArrayBuffer>;
  /** The text the tokens stand for; null for a prompt given as tokens. */
  readonly text: string | null;
  /** Set for messages only. */
  readonly templateSource: TemplateSource | null;
}

export interface ModelText {
  readonly info: TextInfo;
  readonly tokenizer: FullTokenizer;
  /** In steps; `tokens_over_limit` when the prompt has more tokens than `options.limit`. */
  prepare(prompt: Prompt, options: TextOptions, now: number): Steps<PreparedPrompt>;
  detokenize(tokens: Int32Array, special: boolean): string;
}

const ROLE = /^[\w.-]{1,64}$/;
const KNOWN_ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);

/**
 * Templates differ in what a call's arguments are to them; those that print them, or the whole call, with `tojson` want the
 * object.
 */
const WANTS_OBJECTS =
  /(arguments|function|call)['"\])]*\s*\|\s*tojson|arguments['"\])]*\s*\|\s*items|arguments['"\])]*\.items\(/;

function withObjectArguments(call: unknown): unknown {
  if (typeof call !== 'object' || call === null || !('function' in call)) return call;
  const called = call.function;
  if (typeof called !== 'object' || called === null || !('arguments' in called)) return call;
  if (typeof called.arguments !== 'string') return call;
  try {
    const parsed: unknown = JSON.parse(called.arguments);
    if (typeof parsed !== 'object' || parsed === null) return call;
    return { ...call, function: { ...called, arguments: parsed } };
  } catch {
    // A model wrote these arguments and they need not be JSON: the template then gets the text.
    return call;
  }
}

function templateMessage(message: ChatMessage, objects: boolean): Record<string, unknown> {
  const calls = message.tool_calls;
  const hasCalls = calls !== undefined && calls.length > 0;
  const out: Record<string, unknown> = {
    role: message.role,
    // Some templates know a tool call by its null content; everywhere else null would print as a word.
    content: message.content ?? (hasCalls ? null : ''),
  };
  if (message.name !== undefined) out.name = message.name;
  if (hasCalls) out.tool_calls = objects ? calls.map(withObjectArguments) : calls;
  if (message.tool_call_id !== undefined) out.tool_call_id = message.tool_call_id;
  return out;
}

/** @param template a template that goes before the file's own. */
export function createModelText(metadata: Gguf['metadata'], template?: string): ModelText {
  const tokenizer = createFullTokenizer(metadata);
  const { vocabulary } = tokenizer;
  const choose = templateChooser(metadata, tokenizer, template);
  const guard = createGuard(tokenizer);
  const tokenText = (id: number | null): string => (id === null ? '' : vocabulary.texts[id]!);

  function checkTokens(tokens: Int32Array): void {
    for (const token of tokens) {
      if (token >= 0 && token < tokenizer.size) continue;
      throw new InputError(
        'token_out_of_range',
        `Token ${token} does not exist: this model has the tokens 0 to ${tokenizer.size - 1}.`,
        { param: 'tokens', details: { token, size: tokenizer.size } },
      );
    }
  }

  function checkRoles(messages: readonly ChatMessage[]): void {
    for (const { role } of messages) {
      if (KNOWN_ROLES.has(role) || (ROLE.test(role) && !guard.isRoleUnsafe(role))) continue;
      throw new InputError(
        'role_invalid',
        `The role ${JSON.stringify(role.slice(0, 64))} cannot be used. Use system, user, assistant or tool.`,
        { param: 'messages' },
      );
    }
  }

  function* renderMessages(
    prompt: Extract<Prompt, { kind: 'messages' }>,
    options: TextOptions,
    now: number,
  ): Steps<PreparedPrompt> {
    checkRoles(prompt.messages);
    const tools = prompt.tools !== undefined && prompt.tools.length > 0 ? prompt.tools : null;
    const { from, template: chosen } = choose(tools !== null);
    const objects = WANTS_OBJECTS.test(chosen.source) && !/arguments\s+is\s+string/.test(chosen.source);
    const outside = {
      variables: prompt.variables ?? {},
      messages: prompt.messages.map((message) => templateMessage(message, objects)),
      tools,
      prefill: prompt.prefill ?? '',
    };
    const render = ({ variables, messages, tools: listed, prefill }: typeof outside): string =>
      chosen.render(
        {
          add_generation_prompt: true,
          ...variables,
          messages,
          tools: listed,
          documents: null,
          bos_token: tokenText(vocabulary.bos),
          eos_token: tokenText(vocabulary.eos),
          unk_token: tokenText(vocabulary.unk),
        },
        now,
      ) + prefill;
    const plain = render(outside);
    refuseLeftOut(prompt.messages, plain);
    yield;
    const encode: EncodeOptions = { addSpecial: false, parseSpecial: true };
    const bounds = options.limit === undefined ? {} : { limit: options.limit };
    const shielded = guard.protect(outside, chosen.source);
    yield;
    if (shielded !== null) {
      const marked = render(shielded.value);
      const text = shielded.restore(marked);
      // Half matches are rarely real; if the stand-ins changed what the template does, they are not worth it.
      if (shielded.whole || text === plain) {
        yield;
        const body = yield* tokenizer.encodeSteps(marked, encode, bounds, shielded.restore);
        return { tokens: withEnds(body, options), text, templateSource: from };
      }
    }
    const body = yield* tokenizer.encodeSteps(plain, encode, bounds, null);
    return { tokens: withEnds(body, options), text: plain, templateSource: from };
  }

  /** Adds BOS and EOS where the model wants them and the template has not written them already. */
  function withEnds(body: Int32Array, options: TextOptions): Int32Array<ArrayBuffer> {
    const { bos, eos, sep, kind } = vocabulary;
    if (options.addSpecial === false) return Int32Array.from(body);
    const out = [...body];
    const end = kind === 'bert' ? sep : vocabulary.addEos ? eos : null;
    if (bos !== null && (vocabulary.addBos || kind === 'bert') && out[0] !== bos) out.unshift(bos);
    if (end !== null && out.at(-1) !== end) out.push(end);
    if (options.limit !== undefined && out.length > options.limit) throw overLimit(options.limit);
    return Int32Array.from(out);
  }

  return {
    tokenizer,
    info: {
      kind: tokenizer.kind,
      size: tokenizer.size,
      bos: tokenizer.bos,
      eos: tokenizer.eos,
      eog: [...tokenizer.eog],
      hasTemplate: template !== undefined || metadata.has('tokenizer.chat_template'),
      toolStyle: toolStyleOf(choose.source(true)),
    },
    *prepare(prompt, options, now) {
      if (prompt.kind === 'messages') return yield* renderMessages(prompt, options, now);
      if (prompt.kind === 'text') {
        const tokens = yield* tokenizer.encodeSteps(prompt.text, options, options, null);
        return { tokens: Int32Array.from(tokens), text: prompt.text, templateSource: null };
      }
      checkTokens(prompt.tokens);
      return { tokens: Int32Array.from(prompt.tokens), text: null, templateSource: null };
    },
    detokenize(tokens, special) {
      checkTokens(tokens);
      return tokenizer.decode(tokens, { special });
    },
  };
}

/** Reads the header of a GGUF and makes its text side. */
export async function openModelText(path: string, template?: string): Promise<ModelText> {
  await using source = await fileSource(path);
  const { metadata } = await readGguf(source);
  return createModelText(metadata, template);
}
