/**
 * Conversations for models whose tokenizer only node-llama-cpp has. Elsewhere the text thread renders templates under a
 * time and memory limit; it needs our own tokenizer to keep message text from becoming control tokens. Here the
 * template runs under a time limit of V8, and messages that spell a control token are refused.
 *
 * @module engine/whole/prepare
 */

import { createContext, Script } from 'node:vm';
import { InputError, KithError } from '../../base/index.ts';
import { type Gguf, getInteger, getNumbers, getString, getStrings } from '../../models/index.ts';
import type { Conversation, HostedModel } from '../process/hosted.ts';
import { refuseLeftOut } from '../text/left-out.ts';
import { type CompiledTemplate, compileTemplate } from '../text/template.ts';

/** ms a template may take. */
const RENDER_MS = 2000;
/** GGUF token types whose text a message must not spell: control and user-defined. */
const CONTROL = new Set([3, 4]);

const PLAIN =
  "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}{{ 'assistant:' }}";

export function createPrepare(gguf: Gguf, tokenize: HostedModel['tokenize']): HostedModel['prepare'] {
  const texts = getStrings(gguf, 'tokenizer.ggml.tokens', []);
  const types = getNumbers(gguf, 'tokenizer.ggml.token_type', []);
  const control = texts.filter((text, id) => CONTROL.has(types[id] ?? 1) && text.length > 1);
  const textOf = (key: string): string => texts[getInteger(gguf, key, { fallback: -1, min: -1 })] ?? '';
  const specials = {
    bos_token: textOf('tokenizer.ggml.bos_token_id'),
    eos_token: textOf('tokenizer.ggml.eos_token_id'),
    unk_token: textOf('tokenizer.ggml.unknown_token_id'),
  };
  let compiled: CompiledTemplate | null = null;

  return (conversation) => {
    refuseControl(conversation, control);
    compiled ??= compileTemplate(getString(gguf, 'tokenizer.chat_template', PLAIN));
    const template = compiled;
    const rendered = withTimeLimit(() =>
      template.render(
        {
          add_generation_prompt: true,
          ...conversation.variables,
          messages: conversation.messages.map((message) => ({ ...message, content: message.content ?? '' })),
          tools: conversation.tools ?? null,
          ...specials,
        },
        Date.now(),
      ),
    );
    refuseLeftOut(conversation.messages, rendered);
    return tokenize(rendered + (conversation.prefill ?? ''), { addSpecial: true, parseSpecial: true });
  };
}

function refuseControl(conversation: Conversation, control: readonly string[]): void {
  const said = JSON.stringify([
    conversation.messages,
    conversation.tools ?? null,
    conversation.variables ?? null,
    conversation.prefill ?? null,
  ]);
  for (const text of control) {
    // As it stands in JSON, without the quotes.
    if (!said.includes(JSON.stringify(text).slice(1, -1))) continue;
    throw new InputError(
      'control_token_in_message',
      `A message contains ${JSON.stringify(text)}, which is a control token of this model. Leave it out.`,
      { param: 'messages' },
    );
  }
}

/** V8 stops whatever `work` runs when the time is over, host functions included. */
function withTimeLimit<T>(work: () => T): T {
  const sandbox: { work: () => T } = { work };
  try {
    return new Script('work()').runInContext(createContext(sandbox), { timeout: RENDER_MS }) as T;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
    throw new KithError('template_failed', `The model's chat template took longer than ${RENDER_MS} ms.`, {
      status: 422,
      details: { stage: 'time' },
      cause,
    });
  }
}
