/**
 * Which GGUF files are rerankers, and which of them can be used: encoders with a classification head of one output.
 *
 * @module engine/arch/rerank
 */
import { InputError } from '../../base/index.ts';
import { type Gguf, getInteger, getString, hasKey } from '../../models/index.ts';

/** `<arch>.pooling_type` of a model whose output is a classification. */
const RANK = 4;
/** Encoders whose rerankers llama.cpp computes. WordPiece and RoBERTa's BPE on `bert` have a graph here. */
const ENCODERS = ['bert', 'nomic-bert', 'jina-bert-v2', 'jina-bert-v3', 'modern-bert'];

export function isReranker(gguf: Gguf): boolean {
  const architecture = getString(gguf, 'general.architecture', '');
  return getInteger(gguf, `${architecture}.pooling_type`, { fallback: 0 }) === RANK;
}

/** @throws InputError `reranker_unsupported` naming what is supported */
export function checkReranker(gguf: Gguf): void {
  const architecture = getString(gguf, 'general.architecture');
  const refuse = (what: string): never => {
    throw new InputError(
      'reranker_unsupported',
      `The reranker ${what}. Supported are encoders (${ENCODERS.join(', ')}) with a classification head of one output (cls.output.weight, perhaps behind cls.weight), as llama.cpp's converter writes them for ms-marco-MiniLM and bge-reranker.`,
      { status: 422, param: 'model', details: { architecture } },
    );
  };
  if (!ENCODERS.includes(architecture))
    refuse(`has the architecture '${architecture.slice(0, 64)}', which writes text`);
  if (hasKey(gguf, 'tokenizer.chat_template.rerank')) refuse('wants its pairs written by a template');
  const head = gguf.tensors.get('cls.output.weight') ?? gguf.tensors.get('cls.weight');
  const shape = head?.dims ?? refuse('has no classification head');
  const labels = gguf.metadata.get(`${architecture}.classifier.output_labels`);
  const named = labels?.type === 'array' ? labels.value.values.length : 1;
  const outputs = Math.max(shape[1] ?? 1, named);
  if (outputs > 1) refuse(`has ${outputs} outputs`);
  if (architecture === 'bert' && head?.name === 'cls.weight') refuse('has no tensor cls.output.weight');
}
