/**
 * The ways in which models write tool calls, as grammars. What a call says is in all of them the same: an object that
 * names the tool first and gives the arguments second.
 *
 * | Style | A call | Several calls |
 * |---|---|---|
 * | `hermes` | `<tool_call>{"name": …, "arguments": …}</tool_call>` | one after the other |
 * | `mistral` | `[TOOL_CALLS][{"name": …, "arguments": …}]` | in the array |
 * | `llama3` | `{"name": …, "parameters": …}`, at the start of the answer and nothing else | not possible |
 *
 * @module gateway/tools/formats
 */
import type { Grammar } from '../../engine/index.ts';
import type { Wording } from './conversation.ts';

/** A tool's name and what its arguments are held to. */
export interface HeldTool {
  readonly name: string;
  readonly grammar: Grammar;
}

export interface ToolFormat {
  /** Control tokens that the format is written with, where a vocabulary has them. */
  readonly shown: readonly string[];
  /** Any of these begins the calls. */
  readonly openings: readonly string[];
  /** The calls can only begin where the answer begins. */
  readonly atStart: boolean;
  /** Property of a call that holds the arguments. */
  readonly argumentsKey: 'arguments' | 'parameters';
  readonly several: boolean;
  /** What is written after an opening. */
  calls(tools: readonly HeldTool[], several: boolean): Grammar;
}

const literal = (text: string): Grammar => ({ kind: 'literal', text });
const regex = (pattern: string): Grammar => ({ kind: 'regex', pattern });
const sequence = (...parts: Grammar[]): Grammar => ({ kind: 'sequence', parts });

/** Options of one choice at most; more are choices within a choice. */
const MAX_OPTIONS = 256;

function oneOf(options: readonly Grammar[]): Grammar {
  if (options.length === 1) return options[0]!;
  if (options.length <= MAX_OPTIONS) return { kind: 'choice', options };
  const groups: Grammar[] = [];
  for (let at = 0; at < options.length; at += MAX_OPTIONS)
    groups.push(oneOf(options.slice(at, at + MAX_OPTIONS)));
  return oneOf(groups);
}

/** From after `"name": "` to the end of the object. Names are letters, digits, `_` and `-`: none is special here. */
const rest = (key: string) => (tool: HeldTool) =>
  sequence(regex(`${tool.name}", ?"${key}": ?`), tool.grammar, literal('}'));

/** A whole call. */
const object = (tools: readonly HeldTool[]): Grammar =>
  sequence(regex('\\{"name": ?"'), oneOf(tools.map(rest('arguments'))));

const hermes: ToolFormat = {
  shown: ['<tool_call>', '</tool_call>'],
  openings: ['<tool_call>'],
  atStart: false,
  argumentsKey: 'arguments',
  several: true,
  calls(tools, several) {
    const one = sequence(regex('\\n?'), object(tools), regex('\\n?</tool_call>'));
    return several ? { kind: 'repeat', part: one, between: regex('\\n?<tool_call>') } : one;
  },
};

const mistral: ToolFormat = {
  shown: ['[TOOL_CALLS]'],
  openings: ['[TOOL_CALLS]'],
  atStart: false,
  argumentsKey: 'arguments',
  several: true,
  calls(tools, several) {
    const one = object(tools);
    const list: Grammar = several ? { kind: 'repeat', part: one, between: regex(', ?') } : one;
    return sequence(regex(' ?\\['), list, literal(']'));
  },
};

const llama3: ToolFormat = {
  shown: [],
  openings: ['{"name": "', '{"name":"', '{"type": "function", "name": "', '{"type":"function","name":"'],
  atStart: true,
  argumentsKey: 'parameters',
  several: false,
  calls: (tools) => oneOf(tools.map(rest('parameters'))),
};

/** In plain messages models are asked for the form that most of them have seen. */
const FORMATS: Readonly<Record<Wording, ToolFormat>> = {
  hermes,
  llama3,
  mistral,
  plain: hermes,
  folded: hermes,
};

export const formatOf = (wording: Wording): ToolFormat => FORMATS[wording];
