/**
 * How a chat template writes tool calls, told from its source: GGUF files do not say it anywhere else.
 *
 * @module engine/text/tool-style
 */
import type { ToolStyle } from '../types.ts';

/**
 * Null for templates that know no tools, and for those that write calls in a way not listed: some use the same tag around
 * another syntax (`<function=`, `[ARGS]`), so the name of a call has to be written as JSON too.
 */
export function toolStyleOf(source: string): ToolStyle | null {
  if (!/\btools\b/.test(source)) return null;
  if (source.includes('[TOOL_CALLS]')) return source.includes('[ARGS]') ? null : 'mistral';
  if (source.includes('<tool_call>')) {
    const json = /\\?"name\\?"/.test(source) && /\\?"arguments\\?"/.test(source);
    return json && !/<function=|<arg_key>/.test(source) ? 'hermes' : null;
  }
  if (source.includes('<function=')) return null;
  if (/\\?"name\\?":/.test(source) && /\\?"parameters\\?":/.test(source)) {
    return source.includes('ipython') || source.includes('<|python_tag|>') ? 'llama3' : null;
  }
  return null;
}
