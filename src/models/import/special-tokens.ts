/**
 * Special tokens of a Hugging Face model: which id begins, ends, pads, and whether they are added to a text.
 * Three files may say so; the tokenizer's own word comes before that of config.json.
 *
 * @module models/import/special-tokens
 */

import { isObject, type JsonObject } from './json.ts';

/** Every file that may speak about the tokenizer; null where a model does not have it. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json */
  readonly config: JsonObject | null;
  /** special_tokens_map.json */
  readonly special: JsonObject | null;
  /** config.json of the model, for `bos_token_id` and its like. */
  readonly model: JsonObject | null;
  /** chat_template.jinja, which newer models keep beside the configuration. */
  readonly template: string | null;
}

export type SpecialRole = 'bos' | 'eos' | 'pad' | 'unk' | 'cls' | 'sep' | 'mask';

/** Id of a role's token, or null when no file names one that is in the vocabulary. */
export function specialId(
  files: TokenizerFiles,
  role: SpecialRole,
  ids: ReadonlyMap<string, number>,
): number | null {
  for (const source of [files.config, files.special]) {
    const content = tokenContent(source?.[`${role}_token`]);
    const id = content === null ? undefined : ids.get(content);
    if (id !== undefined) return id;
  }
  const numbered = files.model?.[`${role}_token_id`];
  // Instruct models list several end tokens; the first is the model's own.
  const id = Array.isArray(numbered) ? numbered[0] : numbered;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/** A token is written as plain text or as an object with `content`. */
function tokenContent(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (isObject(value) && typeof value.content === 'string') return value.content;
  return null;
}

/**
 * Whether bos and eos are put around a text. The post-processor is what really runs, except for the Llama
 * tokenizer class, which rebuilds it from the `add_*_token` flags of tokenizer_config.json; without either nothing
 * is added.
 */
export function addedAround(
  files: TokenizerFiles,
  bos: number | null,
  eos: number | null,
  ids: ReadonlyMap<string, number>,
): { readonly bos: boolean; readonly eos: boolean } {
  const { add_bos_token: addBos, add_eos_token: addEos, tokenizer_class: kind } = files.config ?? {};
  if (
    typeof kind === 'string' &&
    /^(Code)?LlamaTokenizer(Fast)?$/.test(kind) &&
    typeof addBos === 'boolean'
  ) {
    return { bos: addBos && bos !== null, eos: addEos === true && eos !== null };
  }
  const template = templateOf(files.tokenizer.post_processor, 0);
  if (template !== null) {
    const isToken = (piece: unknown, id: number | null): boolean => {
      const token = isObject(piece) && isObject(piece.SpecialToken) ? piece.SpecialToken.id : undefined;
      return id !== null && typeof token === 'string' && ids.get(token) === id;
    };
    return { bos: isToken(template[0], bos), eos: isToken(template.at(-1), eos) };
  }
  return { bos: addBos === true && bos !== null, eos: addEos === true && eos !== null };
}

/** The `single` list of the first TemplateProcessing step, or null when there is none. */
function templateOf(step: unknown, depth: number): readonly unknown[] | null {
  if (!isObject(step) || depth > 4) return null;
  if (step.type === 'TemplateProcessing' && Array.isArray(step.single)) return step.single;
  if (step.type !== 'Sequence' || !Array.isArray(step.processors)) return null;
  for (const inner of step.processors) {
    const found = templateOf(inner, depth + 1);
    if (found) return found;
  }
  return null;
}

/** The model's chat template as Jinja source, or null. */
export function chatTemplate(files: TokenizerFiles): string | null {
  if (files.template !== null && files.template !== '') return files.template;
  const template = files.config?.chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  // Several named templates: `default` is the one for plain chat.
  const named = template.filter(isObject).find((entry) => entry.name === 'default');
  return typeof named?.template === 'string' ? named.template : null;
}
