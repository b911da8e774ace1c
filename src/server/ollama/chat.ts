/**
 * `POST /api/chat`.
 *
 * @module server/ollama/chat
 */
import { z } from 'zod';
import type { ChatRequest } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { optional, parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { type Shape, sendAnswer } from './answer.ts';
import { checkToolNames, messages, tools } from './messages.ts';
import { generationFields, generationOptions } from './options.ts';
import { changeResidence } from './residence.ts';

export const chatSchema = z.object({
  ...generationFields,
  messages: optional(messages),
  tools: optional(tools),
});

const shape: Shape = ({ content, toolCalls, logprobs }) => ({
  message: { role: 'assistant', content, ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }) },
  ...(logprobs.length === 0 ? {} : { logprobs }),
});

export function chatRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const began = context.clock.monotonic();
    const body = await exchange.json({ programs: true });
    const parsed = parseBody(chatSchema, body);
    const options = await generationOptions(context, body as object, parsed, exchange.signal);
    const { model, tools: offered = [], format } = parsed;
    checkToolNames(offered);
    if (!parsed.messages?.length) {
      await changeResidence(exchange, context, { model, leave: parsed.keep_alive ?? false, shape });
      return;
    }
    const request: ChatRequest = {
      ...options,
      messages: parsed.messages,
      ...(offered.length === 0 ? {} : { tools: offered }),
      ...(format ? { grammar: format } : {}),
      // Templates of models that can think know this switch; others do not look at it.
      ...((body as { think?: unknown }).think === false ? { variables: { enable_thinking: false } } : {}),
    };
    const events = context.answering.chat(exchange, request, parsed.stream ?? true);
    await sendAnswer(exchange, context, events, { model, stream: parsed.stream ?? true, shape, began });
  };
}
