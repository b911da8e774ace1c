/**
 * What the writer writes, checked sentence by sentence as it comes.
 *
 * @module knowledge/answer/writing
 */
import { messageOf } from '../../base/index.ts';
import { foldedWords } from './claims/words.ts';
import { type Grounding, withMarks } from './grounding.ts';
import { NO_ANSWER } from './prompt.ts';
import { AnswerReader, type ReadSentence } from './reading.ts';
import type { AnswerEvent, Figures, Missing, Writer, WriterMessage } from './types.ts';

export interface WritingOptions {
  readonly unsupported: 'leave_out' | 'flag';
  readonly maxTokens: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Written {
  readonly figures: Figures;
  /** `cut`: it went on too long. `no_answer`: the writer said that the sources do not answer. */
  readonly end: 'done' | 'cut' | 'failed' | 'no_answer';
}

const MOST_SENTENCES = 60;
const MOST_CHARACTERS = 20_000;
/** Sentences said again, after which a writer is in a loop. */
const MOST_REPEATED = 3;

const SAYS_NO = new RegExp(
  `${NO_ANSWER.replaceAll(' ', '\\s+')}|\\b(?:sources?|documents?|texts?|passages?|context)\\b[^.]{0,40}\\b(?:do(?:es)?|did)\\s?(?:not|n['’]t)\\s+(?:contain|mention|provide|say|answer|include|state|specify|give)|\\bno (?:information|answer)\\b[^.]{0,60}\\b(?:sources?|documents?|context)\\b`,
  'iu',
);

export async function* writeAnswer(
  writer: Writer,
  messages: readonly WriterMessage[],
  grounding: Grounding,
  { unsupported, maxTokens, signal }: WritingOptions,
): AsyncGenerator<AnswerEvent, Written> {
  const counts = { sentences: 0, cited: 0, verified: 0, unsupported: 0, leftOut: 0, removedCitations: 0 };
  const reader = new AnswerReader();
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const seen = new Set<string>();
  let characters = 0;
  let repeated = 0;
  let end: Written['end'] = 'done';

  function* take(sentence: ReadSentence): Generator<AnswerEvent> {
    if (end !== 'done') return;
    const body = sentence.text.trim();
    const key = foldedWords(body).join(' ');
    if (key === '') return;
    if (counts.sentences >= MOST_SENTENCES || (seen.has(key) && ++repeated >= MOST_REPEATED)) {
      end = 'cut';
      return;
    }
    if (seen.has(key)) return;
    seen.add(key);
    if (SAYS_NO.test(body)) {
      // Behind sentences that are supported it says only that there is more to ask.
      if (counts.verified === 0) end = 'no_answer';
      return;
    }
    const { status, missing, citations, unknown, wrong, found } = grounding.ground(sentence);
    counts.sentences++;
    if (sentence.cites.length > 0) counts.cited++;
    counts.removedCitations += unknown.length;
    if (status === 'verified') counts.verified++;
    if (status === 'unsupported') counts.unsupported++;
    for (const n of unknown)
      yield warn('citation_unknown', `There is no source ${n}: its citation was removed.`);
    if (found && sentence.cites.length > unknown.length)
      yield warn('citation_moved', `Another source than the cited one says: “${body}”`);
    else if (found) yield warn('citation_added', `Nothing was cited for: “${body}”`);
    else if (wrong.length > 0)
      yield warn(
        'citation_unsupported',
        `Source ${wrong.join(', ')} was cited for what it does not say: “${body}”`,
      );
    // What cannot be checked is left out, too: "That is wrong." behind a sentence that is supported would turn it around.
    const isGiven = status === 'verified' || unsupported === 'flag';
    if (status === 'unsupported')
      yield warn(
        'sentence_unsupported',
        `${isGiven ? 'Not supported' : 'Left out'}: “${body}” (${reasons(missing)}).`,
      );
    if (isGiven) {
      yield* give(sentence.text, citations, status, missing);
      return;
    }
    counts.leftOut++;
    yield { type: 'sentence', text: body, status, missing, given: false };
  }

  try {
    for await (const piece of writer.write(messages, { maxTokens, temperature: 0, signal: stopped })) {
      characters += piece.length;
      for (const sentence of reader.push(piece)) yield* take(sentence);
      if (characters > MOST_CHARACTERS) end = 'cut';
      if (end !== 'done') break;
    }
    for (const sentence of reader.end()) yield* take(sentence);
  } catch (error) {
    signal?.throwIfAborted();
    for (const sentence of reader.end()) yield* take(sentence);
    end = 'failed';
    yield warn('writer_failed', `The model that writes failed: ${messageOf(error)}`);
  } finally {
    stop.abort();
  }
  // Nothing at all is a failure of the writer, not a judgement about the sources.
  if (end === 'done' && counts.sentences === 0) end = 'failed';
  return { figures: counts, end };
}

function* give(
  text: string,
  citations: Parameters<typeof withMarks>[1],
  status: 'verified' | 'unsupported' | 'plain',
  missing: readonly Missing[],
): Generator<AnswerEvent> {
  const marked = withMarks(text, citations);
  yield { type: 'text', text: /\s$/u.test(marked) ? marked : `${marked} ` };
  for (const citation of citations) yield { type: 'citation', ...citation };
  yield { type: 'sentence', text: text.trim(), status, missing, given: true };
}

function warn(code: (AnswerEvent & { type: 'warning' })['code'], message: string): AnswerEvent {
  return { type: 'warning', code, message };
}

function reasons(missing: readonly Missing[]): string {
  if (missing.length === 0) return 'no source says so';
  return missing
    .slice(0, 3)
    .map(({ kind, what }) =>
      kind === 'negation'
        ? 'the source says the contrary'
        : `${kind} “${what.slice(0, 80)}” is in no cited source`,
    )
    .join('; ');
}
