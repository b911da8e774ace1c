/**
 * Chunks, hits and sources for tests, and a writer that says what it is told to.
 *
 * @module knowledge/answer/testing/chunks
 */
import type { Hit } from '../../retrieve/index.ts';
import type { StoredChunk } from '../../store/index.ts';
import type { Source, Writer, WriterMessage } from '../types.ts';

/** Chunk `position` of document `document`; its row is 100 × document + position. */
export function chunkOf(
  document: number,
  position: number,
  text: string,
  title = `Document ${document}`,
): StoredChunk {
  const row = 100 * document + position;
  return {
    ...{ row, document, position, text, title, tokens: 1, path: `notes/${document}.md` },
    ...{ id: row.toString(16).padStart(32, '0'), place: { line: position + 1 } },
  };
}

export function hitOf(chunk: StoredChunk, cosine: number | null = 0.8): Hit {
  const vector = cosine === null ? null : { score: cosine, rank: 1 };
  return { chunk, score: 1, words: null, vector, graph: null, duplicates: [], neighbours: [] };
}

export function sourceOf(n: number, text: string, title = `Document ${n}`): Source {
  const chunk = chunkOf(n, 0, text, title);
  return {
    ...{ n, document: n, path: chunk.path, title, where: '', text },
    ...{ chunks: [chunk], hit: hitOf(chunk) },
  };
}

export interface Scripted extends Writer {
  /** What it was asked. */
  readonly asked: (readonly WriterMessage[])[];
}

/** Says these texts, one for each time it is asked, in pieces of some characters. */
export function scripted(texts: readonly string[], piece = 7): Scripted {
  const asked: (readonly WriterMessage[])[] = [];
  return {
    ...{ id: 'script', context: 4096, asked },
    async *write(messages, { signal }) {
      const text = texts[asked.length] ?? '';
      asked.push(messages);
      for (let at = 0; at < text.length; at += piece) {
        signal.throwIfAborted();
        yield text.slice(at, at + piece);
      }
    },
  };
}
