/**
 * Questions with what their answers should have, as a JSON file: a list of objects with `question`, and of these what there is: `id`,
 * `expected_keywords` (each a keyword, or a list of some that mean the same), `numeric` (`value`, `tolerance`), and
 * `answerable: false` for one that the documents do not answer. Other fields are for people.
 *
 * @module knowledge/evaluate/question-file
 */
import { z } from 'zod';
import { InputError, readFileBounded } from '../../base/index.ts';
import type { Expectation } from './keywords.ts';

export interface FileQuestion {
  readonly id: string;
  readonly text: string;
  /** Null when nothing is expected of its answer but that there is one. */
  readonly expected: Expectation | null;
  readonly answerable: boolean;
}

const MOST_BYTES = 32 << 20;
const keyword = z.string().min(1).max(1000);

const schema = z
  .array(
    z.object({
      id: z.string().min(1).max(1000).exactOptional(),
      question: z.string().min(1).max(8000),
      expected_keywords: z
        .array(z.union([keyword, z.array(keyword).min(1).max(100)]))
        .max(1000)
        .exactOptional(),
      numeric: z.object({ value: z.number(), tolerance: z.number().min(0).default(0) }).exactOptional(),
      answerable: z.boolean().default(true),
    }),
  )
  .max(100_000);

/** @throws InputError `question_file_invalid` naming what is wrong; of the disk */
export async function readQuestionFile(path: string): Promise<FileQuestion[]> {
  const bytes = await readFileBounded(path, MOST_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid(path, 'it is no JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0]!;
    throw invalid(path, `${where.map(String).join('.') || 'the whole'}: ${message}`);
  }
  const ids = new Set<string>();
  return parsed.data.map(({ id = '', question, expected_keywords: keywords, numeric, answerable }, at) => {
    const name = id === '' ? String(at + 1) : id;
    if (ids.has(name)) throw invalid(path, `the id ${JSON.stringify(name)} is there twice`);
    ids.add(name);
    const expected =
      keywords === undefined && numeric === undefined
        ? null
        : {
            groups: (keywords ?? []).map((each) => (typeof each === 'string' ? [each] : each)),
            ...(numeric === undefined ? {} : { number: numeric }),
          };
    return { id: name, text: question, expected, answerable };
  });
}

function invalid(path: string, why: string): InputError {
  return new InputError('question_file_invalid', `${path} cannot be used: ${why}.`);
}
