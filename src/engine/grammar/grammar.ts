/**
 * From a request's grammar to a network.
 *
 * @module engine/grammar/grammar
 */
import { InputError } from '../../base/index.ts';
import type { Grammar } from '../types.ts';
import { createCharacterWriter } from './characters.ts';
import { grammarTooLarge } from './errors.ts';
import { type Network, NetworkBuilder } from './network.ts';
import { parsePattern } from './pattern.ts';
import { copyJson, isRecord, type JsonRecord, readSchema } from './schema.ts';
import { createWork, type Work } from './work.ts';
import { writePattern } from './write-pattern.ts';
import { writeSchema } from './write-schema.ts';
import { writeText } from './write-text.ts';

const MAX_PARTS = 256;
const MAX_DEPTH = 8;
const MAX_LITERAL = 65_536;
/** Of a text that ends free text. */
const MAX_TRIGGER = 256;
/** All parts together, as JSON. */
const MAX_TEXT = 1 << 20;

function invalid(what: string): InputError {
  return new InputError('grammar_invalid', `The grammar cannot be read: ${what}.`, { param: 'grammar' });
}

/**
 * A grammar from outside: a copy as it is in JSON, checked in shape. What a schema or pattern holds is checked by
 * `compileGrammar`.
 *
 * @throws InputError `grammar_invalid`, `grammar_too_large`, `schema_invalid`
 */
export function parseGrammar(input: unknown): Grammar {
  const grammar = parsePart(input, 0);
  const size = JSON.stringify(grammar).length;
  if (size > MAX_TEXT) throw grammarTooLarge(`${size} characters in all`, MAX_TEXT);
  return grammar;
}

function parsePart(input: unknown, depth: number): Grammar {
  if (depth > MAX_DEPTH) throw grammarTooLarge('the depth of sequence and choice', MAX_DEPTH);
  if (!isRecord(input)) throw invalid('it must be an object with a kind');
  const text = (key: string): string => {
    const value = input[key];
    if (typeof value !== 'string') throw invalid(`${key} must be text`);
    if (value.length > MAX_LITERAL)
      throw grammarTooLarge(`${key} of ${value.length} characters`, MAX_LITERAL);
    return value;
  };
  const parts = (key: string): Grammar[] => {
    const value = input[key];
    if (!Array.isArray(value) || value.length === 0) throw invalid(`${key} must be a list of grammars`);
    if (value.length > MAX_PARTS) throw grammarTooLarge(`${key} with ${value.length} entries`, MAX_PARTS);
    return value.map((part) => parsePart(part, depth + 1));
  };
  switch (input.kind) {
    case 'json_schema':
      return { kind: 'json_schema', schema: copyJson(input.schema) };
    case 'json_object':
      return { kind: 'json_object' };
    case 'regex':
      return { kind: 'regex', pattern: text('pattern') };
    case 'literal':
      return { kind: 'literal', text: text('text').toWellFormed() };
    case 'sequence':
      return { kind: 'sequence', parts: parts('parts') };
    case 'choice':
      return { kind: 'choice', options: parts('options') };
    case 'repeat':
      return {
        kind: 'repeat',
        part: parsePart(input.part, depth + 1),
        between: parsePart(input.between, depth + 1),
      };
    case 'text':
      return parseText(input, depth);
    default:
      throw invalid(
        `its kind is ${JSON.stringify(input.kind)?.slice(0, 60)}; known are json_schema, json_object, regex, literal, sequence, choice, repeat and text`,
      );
  }
}

function parseText({ until, next, at }: JsonRecord, depth: number): Grammar {
  if (!Array.isArray(until)) throw invalid('until must be a list of texts');
  if (until.length > MAX_PARTS) throw grammarTooLarge(`until with ${until.length} entries`, MAX_PARTS);
  const texts = until.map((each): string => {
    if (typeof each !== 'string' || each === '') throw invalid('until must hold texts that are not empty');
    if (each.length > MAX_TRIGGER)
      throw grammarTooLarge(`until with a text of ${each.length} characters`, MAX_TRIGGER);
    return each.toWellFormed();
  });
  if (at !== undefined && at !== 'start') throw invalid("at can only be 'start'");
  return {
    kind: 'text',
    until: texts,
    next: parsePart(next, depth + 1),
    ...(at === undefined ? {} : { at }),
  };
}

/**
 * @param work what it costs, all schemas of the grammar together
 * @throws InputError `schema_unsupported` (naming the keyword and its place), `schema_invalid`, `schema_unsatisfiable`,
 *   `pattern_unsupported`, `grammar_too_large`
 */
export function compileGrammar(grammar: Grammar, work: Work = createWork()): Network {
  const builder = new NetworkBuilder(work);
  const root = builder.rule('');
  const writePlain = createCharacterWriter(builder, 'plain');
  const write = (from: number, part: Grammar, to: number): void => {
    switch (part.kind) {
      case 'json_schema':
        writeSchema(builder, from, readSchema(part.schema, work), to, work);
        return;
      case 'json_object':
        writeSchema(builder, from, readSchema({ type: 'object' }, work), to, work);
        return;
      case 'regex':
        writePattern(builder, from, parsePattern(part.pattern, false, work), to, writePlain);
        return;
      case 'literal':
        builder.literal(from, Buffer.from(part.text), to);
        return;
      case 'choice':
        for (const option of part.options) write(from, option, to);
        return;
      case 'sequence': {
        let at = from;
        for (const item of part.parts) {
          const next = builder.state();
          write(at, item, next);
          at = next;
        }
        builder.skip(at, to);
        return;
      }
      case 'repeat': {
        const start = builder.state();
        const end = builder.state();
        builder.skip(from, start);
        write(start, part.part, end);
        write(end, part.between, start);
        builder.skip(end, to);
        return;
      }
      case 'text': {
        const then = builder.state();
        writeText(builder, from, part, then, to);
        write(then, part.next, to);
        return;
      }
    }
  };
  write(root.start, grammar, root.end);
  return builder.finish(root);
}
