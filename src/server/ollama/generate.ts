/**
 * `POST /api/generate`: one prompt, through the chat template or, with `raw`, as it is.
 *
 * @module server/ollama/generate
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ChatEvent, ChatRequest } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { text } from '../openai/options.ts';
import type { ServerContext } from '../types.ts';
import { type Shape, sendAnswer } from './answer.ts';
import { generationFields, generationOptions } from './options.ts';
import { changeResidence } from './residence.ts';

export const generateSchema = z.object({
  ...generationFields,
  prompt: optional(text),
  system: optional(text),
  raw: optional(z.boolean()),
});

const refused = {
  suffix: { allowed: [''], why: 'the models here continue text, they do not fill gaps.' },
  template: { allowed: [''], why: "a model's own template is used; render yours and send `raw: true`." },
  context: { why: 'answers here carry none; send the conversation to /api/chat.' },
  images: { why: 'the models here read text only.' },
  width: { allowed: [0], why: 'the models here write text only.' },
  height: { allowed: [0], why: 'the models here write text only.' },
  steps: { allowed: [0], why: 'the models here write text only.' },
} as const;

const shape: Shape = ({ content, logprobs }) => ({
  response: content,
  ...(logprobs.length === 0 ? {} : { logprobs }),
});

export function generateRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const began = context.clock.monotonic();
    const body = (await exchange.json({ programs: true })) as object;
    const parsed = parseBody(generateSchema, body);
    refuse(body, refused);
    const options = await generationOptions(context, body, parsed, exchange.signal);
    const { model, prompt = '', system = '', format, raw } = parsed;
    if (prompt === '') {
      await changeResidence(exchange, context, { model, leave: parsed.keep_alive ?? false, shape });
      return;
    }
    let events: AsyncIterable<ChatEvent>;
    if (raw) {
      for (const [param, value] of Object.entries({ format, system })) {
        if (!value) continue;
        throw new InputError(
          'unsupported_parameter',
          `\`${param}\` is not supported together with \`raw\`.`,
          {
            param,
          },
        );
      }
      events = context.answering.complete(
        exchange,
        { ...options, prompts: [prompt], echo: false },
        parsed.stream ?? true,
      );
    } else {
      const request: ChatRequest = {
        ...options,
        messages: [
          ...(system === '' ? [] : [{ role: 'system', content: system }]),
          { role: 'user', content: prompt },
        ],
        ...(format ? { grammar: format } : {}),
        ...((body as { think?: unknown }).think === false ? { variables: { enable_thinking: false } } : {}),
      };
      events = context.answering.chat(exchange, request, parsed.stream ?? true);
    }
    await sendAnswer(exchange, context, events, { model, stream: parsed.stream ?? true, shape, began });
  };
}
