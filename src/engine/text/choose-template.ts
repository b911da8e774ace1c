/**
 * Which template renders a conversation: the one given with the model, one of those in the GGUF, or a neutral one.
 *
 * @module engine/text/choose-template
 */

import type { Gguf } from '../../models/index.ts';
import type { FullTokenizer } from '../tokenizer/index.ts';
import { type CompiledTemplate, compileTemplate } from './template.ts';

/**
 * Where a template came from: `given` with the model; `gguf` or `gguf:<name>`, the file's own; `default:chatml` and
 * `default:plain`, forms Kith chose because the file has none.
 */
export type TemplateSource = 'given' | 'gguf' | 'gguf:tool_use' | 'default:chatml' | 'default:plain';

export interface TemplateChoice {
  readonly from: TemplateSource;
  readonly template: CompiledTemplate;
}

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const PLAIN =
  "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";

export interface TemplateChooser {
  /** For conversations with or without tools; compiled at the first use of each. */
  (withTools: boolean): TemplateChoice;
  /** Its source, not compiled. */
  source(withTools: boolean): string;
}

export function templateChooser(
  metadata: Gguf['metadata'],
  tokenizer: FullTokenizer,
  given: string | undefined,
): TemplateChooser {
  const compiled = new Map<TemplateSource, TemplateChoice>();
  const text = (key: string): string | undefined => {
    const value = metadata.get(key)?.value;
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  function pick(withTools: boolean): [TemplateSource, string] {
    if (given !== undefined) return ['given', given];
    const forTools = withTools ? text('tokenizer.chat_template.tool_use') : undefined;
    if (forTools !== undefined) return ['gguf:tool_use', forTools];
    const own = text('tokenizer.chat_template') ?? text('tokenizer.chat_template.default');
    if (own !== undefined) return ['gguf', own];
    return tokenizer.vocabulary.ids.has('<|im_start|>')
      ? ['default:chatml', CHATML]
      : ['default:plain', PLAIN];
  }
  const choose = (withTools: boolean): TemplateChoice => {
    const [from, source] = pick(withTools);
    let choice = compiled.get(from);
    if (choice === undefined) {
      choice = { from, template: compileTemplate(source) };
      compiled.set(from, choice);
    }
    return choice;
  };
  return Object.assign(choose, { source: (withTools: boolean) => pick(withTools)[1] });
}
