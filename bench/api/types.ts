/** What the parts of the API benchmark get. @module bench/api/types */
import type { OwnNode } from '../lib/own-node.ts';
import type { TextSubject } from '../lib/subject.ts';

export interface Bench {
  readonly node: OwnNode;
  /** The same engine without HTTP. */
  readonly engine: TextSubject;
  readonly client: TextSubject;
  /** node:http that answers from a constant. */
  readonly bare: TextSubject;
  readonly rival: TextSubject | null;
  /** Of the bare engine's client process, whose CPU time is what driving an engine costs without HTTP. */
  readonly enginePid: number;
  readonly quick: boolean;
  readonly rounds: number;
  /** Of the soak. */
  readonly requests: number;
}

export interface Timed {
  readonly ttftMs: number;
  readonly totalMs: number;
}

/** End token of the test models: never chosen, so that every answer has as many tokens as were asked for. */
export const unending: readonly (readonly [number, number])[] = [[2, -100]];
export const unendingBody = { temperature: 0, logit_bias: Object.fromEntries(unending) };

/** Token ids that differ from one number to the next, so that no prompt is found in a prefix cache. */
export const promptOf = (length: number, round: number): number[] =>
  Array.from({ length }, (_, i) => 300 + ((i * 31 + round * 977) % 4000));

const words = 'sea ship wind harbour island storm lantern captain letter morning bread river'.split(' ');
/** A question of some 50 tokens, another one for each number. */
export const questionOf = (round: number): string =>
  `${round}: tell of the ${Array.from({ length: 24 }, (_, i) => words[(round * 7 + i * (1 + (round % 5))) % words.length]).join(' ')}.`;
