/**
 * A language model made of arithmetic, for tests: its logits depend on every token that is read back through the
 * cells it is given, so a wrong cell, position or share changes what it says. Each cell remembers the whole prefix
 * it was computed in; reading it in any other context is an error.
 *
 * @module engine/scheduler/testing/toy-model
 */
import { KithError } from '../../../base/index.ts';
import type { ForwardPart, Runner, RunnerInfo } from '../../runner/types.ts';
import type { Tokenizer } from '../../types.ts';

/** Letters, words, two halves of é, a four-byte character in four parts, a control token, end of generation. */
const PIECES: readonly (string | readonly number[])[] = [
  ...'abcdefgh ',
  'the',
  ' sun',
  'ab',
  'cab',
  ' is',
  '\n',
  'é',
  [0xc3],
  [0xa9],
  [0xf0],
  [0x9f],
  [0x8c],
  [0x9e],
];
export const TOY_CONTROL = PIECES.length;
export const TOY_EOG = PIECES.length + 1;
export const TOY_VOCAB = PIECES.length + 2;

const bytes = PIECES.map((piece) =>
  typeof piece === 'string' ? Buffer.from(piece) : Uint8Array.from(piece),
);

export const toyTokenizer: Pick<Tokenizer, 'bytes' | 'eog'> = {
  eog: new Set([TOY_EOG]),
  bytes: (token, special) => bytes[token] ?? (special ? Buffer.from(`<${token}>`) : new Uint8Array(0)),
};

function mix(hash: number, value: number): number {
  let word = Math.imul(hash ^ (value + 0x9e3779b9), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** What the model says after `tokens`. `eog` shifts the logit of the end: -Infinity never ends. */
export function toyLogits(tokens: ArrayLike<number>, eog: number): Float32Array {
  let hash = 1;
  for (let i = 0; i < tokens.length; i++) hash = mix(hash, tokens[i]!);
  return logitsOf(hash, eog);
}

function logitsOf(hash: number, eog: number): Float32Array {
  const out = new Float32Array(TOY_VOCAB);
  for (let token = 0; token < TOY_VOCAB; token++) out[token] = (mix(hash, token + 1000) / 2 ** 32) * 6;
  out[TOY_EOG]! += eog;
  return out;
}

export interface ToyPass {
  /** Rows of each part. */
  readonly rows: readonly number[];
  readonly starts: readonly number[];
}

export interface ToyRunner extends Runner {
  readonly passes: ToyPass[];
  interruptions: number;
  /** Called after a pass is recorded and before it answers; may throw. */
  onPass: ((parts: readonly ForwardPart[]) => void | Promise<void>) | null;
}

export interface ToyOptions {
  readonly kvCells: number;
  readonly context?: number;
  readonly maxRows?: number;
  /** Shift of the logit that ends. @default -2 */
  readonly eog?: number;
}

export function createToyRunner(options: ToyOptions): ToyRunner {
  const info: RunnerInfo = {
    architecture: 'toy',
    from: 0,
    to: 1,
    embeds: true,
    heads: true,
    blocks: 1,
    embedding: 8,
    vocab: TOY_VOCAB,
    contextTrained: options.context ?? 512,
    kvCells: options.kvCells,
    maxRows: options.maxRows ?? 512,
    device: 'toy',
    weightBytes: 0,
    kvBytes: 0,
  };
  // A cell's token and the hash of the prefix that ends in it: what keys and values are to a real model.
  const stored = new Int32Array(options.kvCells).fill(-1);
  const prefixes = new Uint32Array(options.kvCells);
  let busy = false;
  let interrupted = false;

  const fail = (message: string): never => {
    throw new Error(`toy runner: ${message}`);
  };

  function check(parts: readonly ForwardPart[]): void {
    if (parts.length === 0) fail('an empty pass');
    let rows = 0;
    const written = new Set<number>();
    for (const { cells, start, count, tokens, hidden } of parts) {
      rows += count;
      if (count < 1 || start < 0 || tokens?.length !== count || hidden !== null) fail('a malformed part');
      if (cells.length < start + count) fail('cells are missing');
      const own = new Set(cells.subarray(0, start + count));
      if (own.size !== start + count) fail('a cell stands twice in one sequence');
      for (const cell of own) if (cell < 0 || cell >= info.kvCells) fail(`cell ${cell} does not exist`);
      for (let p = start; p < start + count; p++) {
        if (written.has(cells[p]!)) fail(`cell ${cells[p]} is written twice in one pass`);
        written.add(cells[p]!);
      }
    }
    if (rows > info.maxRows) fail(`${rows} rows in one pass`);
    for (const { cells, start } of parts) {
      for (let p = 0; p < start; p++) {
        if (written.has(cells[p]!)) fail(`cell ${cells[p]} is read and written in one pass`);
      }
    }
  }

  const self: ToyRunner = {
    info,
    passes: [],
    onPass: null,
    async forward(parts) {
      if (busy) fail('two passes at once');
      busy = true;
      interrupted = false;
      try {
        check(parts);
        self.passes.push({ rows: parts.map(({ count }) => count), starts: parts.map(({ start }) => start) });
        // The cells are read after this point: whoever gives them away during a pass is found out.
        await null;
        await self.onPass?.(parts);
        if (interrupted) {
          // What an interrupted pass leaves in its cells is anybody's guess.
          for (const { cells, start, count } of parts) {
            for (let i = 0; i < count; i++) prefixes[cells[start + i]!] = 0xdeadbeef;
          }
          self.interruptions++;
          throw new KithError('forward_interrupted', 'interrupted');
        }
        const rows: Float32Array[] = [];
        for (const { cells, start, count, tokens, outputs } of parts) {
          let hash = 1;
          for (let p = 0; p < start; p++) {
            hash = mix(hash, stored[cells[p]!]!);
            if (prefixes[cells[p]!] !== hash)
              fail(`position ${p} is read from cell ${cells[p]} of another prefix`);
          }
          for (let i = 0; i < count; i++) {
            hash = mix(hash, tokens![i]!);
            prefixes[cells[start + i]!] = hash;
            stored[cells[start + i]!] = tokens![i]!;
            if (outputs === 'all' || outputs === 'each' || (outputs === 'last' && i === count - 1))
              rows.push(logitsOf(hash, options.eog ?? -2));
          }
        }
        const result = new Float32Array(rows.length * TOY_VOCAB);
        for (const [i, row] of rows.entries()) result.set(row, i * TOY_VOCAB);
        return { rows: result, count: rows.length, width: TOY_VOCAB };
      } finally {
        busy = false;
      }
    },
    interrupt() {
      if (busy) interrupted = true;
    },
    interruptions: 0,
    async [Symbol.asyncDispose]() {},
  };
  return self;
}
