/**
 * Settings of knowledge bases: where they are kept, how files are cut, and what reading a file may take.
 *
 * @module base/settings/knowledge
 */
import { isAbsolute } from 'node:path';
import { bytes, choice, flagSetting, GB, integer, list, text } from './setting.ts';

export const knowledgeSettings = {
  'knowledge.folder': text(
    'Folder of the list of knowledge bases, and of those that are not made elsewhere.',
    'an absolute path; empty for knowledge in the home folder',
    (value) => value === '' || (isAbsolute(value) && !value.includes('\0')),
    '',
  ),
  'knowledge.chunkStrategy': choice(
    'How files are cut where a knowledge base does not say it itself: along sentences, whole paragraphs while they fit, or as many words as fit.',
    ['sentences', 'paragraphs', 'fixed'],
    'sentences',
  ),
  'knowledge.chunkTokens': integer(
    'Tokens of a chunk, about, where a knowledge base does not say it itself; never more than the embedding model takes. Files are cut anew when they are taken in again.',
    16,
    8192,
    200,
  ),
  'knowledge.chunkOverlap': integer(
    'Sentences at the end of a chunk with which the next one begins, where a knowledge base does not say it itself.',
    0,
    10,
    1,
  ),
  'knowledge.watch': flagSetting(
    'Whether folders that knowledge bases follow are watched while the node runs, and taken in again when something in them changed.',
    true,
  ),
  'knowledge.parsers': integer('Files that are read at once, each by a process of its own.', 1, 32, 2),
  'knowledge.parseMs': integer('Time that reading one file may take, in ms.', 1000, 3_600_000, 30_000),
  'knowledge.parseMemoryMb': integer('Memory that reading one file may take, in MB.', 256, 65_536, 512),
  'knowledge.exactMb': integer(
    'Exact vectors that are kept in memory, in MB for each knowledge base in use (96: of 65,000 passages). Others are read from its file for each search.',
    0,
    16_384,
    96,
  ),
  'knowledge.fileBytes': bytes(
    'Largest file that is read; dumps of wikis may be larger.',
    1024,
    4 * GB,
    64 * 1024 * 1024,
  ),
  'knowledge.sharePerMinute': integer(
    'Questions to shared knowledge bases that a peer of tier unknown may ask in a minute; each tier above may ask twice as many.',
    1,
    1000,
    15,
  ),
  'knowledge.writer': text(
    'Who writes answers from knowledge bases: a model id, auto for what the gateway chooses, none for sentences of the documents.',
    'none, auto or the id of a model',
    (value) => /^[^\s\p{Cc}]{1,200}$/u.test(value),
    'none',
  ),
  'knowledge.expand': list(
    'Other ways to ask that knowledge.writer is asked for before each search: a passage that might answer (hyde), other wordings (multi-query).',
    'hyde, multi-query, both with a comma, or nothing',
    (value) => value === 'hyde' || value === 'multi-query',
    [],
  ),
  'knowledge.rerank': choice(
    'Who puts the best of what a search found in order: nobody; knowledge.writer, which is shown the best ten (listwise); knowledge.reranker, which reads the question with each passage (cross-encoder), also by auto once one is set.',
    ['auto', 'none', 'listwise', 'cross-encoder'],
    'auto',
  ),
  'knowledge.reranker': text(
    'Which reranker of this machine reads questions with passages: a model id, or none. Also the model of POST /v1/rerank when a request names none.',
    'none or the id of a model',
    (value) => /^[^\s\p{Cc}]{1,200}$/u.test(value),
    'none',
  ),
  'knowledge.stepMs': integer(
    'Time that other ways to ask may take in a search, and putting in order again, in ms; what takes longer is left out.',
    1,
    60_000,
    3000,
  ),
  'knowledge.rerankPassages': integer('Passages that a cross-encoder puts in order.', 2, 200, 30),
  'knowledge.extraction': choice(
    'Whether knowledge.writer reads passages for what they say of names while the node has nothing else to do (idle), one at a time.',
    ['off', 'idle'],
    'off',
  ),
  'knowledge.extractionAfterMs': integer(
    'Time without a request after which passages are read while idle, in ms.',
    10_000,
    86_400_000,
    600_000,
  ),
  'knowledge.extractionTokens': integer(
    'Tokens that reading while idle may take in a day (UTC) in each knowledge base, questions and answers together.',
    1000,
    1_000_000_000,
    100_000,
  ),
  'knowledge.cache': choice(
    'Whether answers are given again until the knowledge base changes, for a day at most: to the same question, also to one that means the same (which may be answered for another), or never.',
    ['same', 'similar', 'off'],
    'same',
  ),
} as const;
