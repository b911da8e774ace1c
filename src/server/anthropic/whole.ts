/**
 * A whole answer: the events of its stream put together, so that both say the same.
 *
 * @module server/anthropic/whole
 */
import type { Block, MessageBody, MessageEvent } from './stream.ts';

interface Building {
  readonly block: Block;
  text: string;
}

/** Puts the events of one answer together. They end with `message_stop`. */
export function foldMessage(events: Iterable<MessageEvent>): MessageBody {
  let message: MessageBody | null = null;
  const blocks: Building[] = [];
  for (const event of events) {
    switch (event.type) {
      case 'message_start':
        message = event.message;
        break;
      case 'content_block_start':
        blocks.push({ block: event.content_block, text: '' });
        break;
      case 'content_block_delta': {
        const { delta } = event;
        blocks[event.index]!.text += delta.type === 'text_delta' ? delta.text : delta.partial_json;
        break;
      }
      case 'message_delta':
        message = { ...message!, ...event.delta, usage: foldUsage(message!.usage, event.usage) };
        break;
    }
  }
  const cut = message!.stop_reason === 'max_tokens';
  return { ...message!, content: blocks.flatMap((one) => finished(one, cut)) };
}

/** What is unknown at the end does not undo what was known at the start. */
function foldUsage(
  start: MessageBody['usage'],
  end: Extract<MessageEvent, { type: 'message_delta' }>['usage'],
): MessageBody['usage'] {
  return { ...start, ...end, input_tokens: end.input_tokens ?? start.input_tokens };
}

/**
 * The block with its content. A call whose input was cut short is left out: a client that does not look at
 * `stop_reason` would make it with half of its arguments.
 */
function finished({ block, text }: Building, cut: boolean): Block[] {
  if (block.type === 'text') return [{ ...block, text }];
  if (text === '') return cut ? [] : [block];
  try {
    return [{ ...block, input: JSON.parse(text) as unknown }];
  } catch {
    return [];
  }
}
