/**
 * Questions that lean on what was said before, made to stand alone: by rules at once, by a writer when there is one and it is
 * quick enough.
 *
 * @module knowledge/answer/follow-up
 */
import type { Clock } from '../../base/index.ts';
import { isStopWord, withinBudget } from '../retrieve/index.ts';
import { namesOf } from './claims/names.ts';
import { numbersOf } from './claims/numbers.ts';
import { fold, foldedWords } from './claims/words.ts';
import { plain } from './prompt.ts';
import type { Turn, Writer } from './types.ts';

export interface Rewritten {
  readonly question: string;
  /** Null: it stood alone already. */
  readonly by: 'rules' | 'writer' | null;
  /** Why the writer's was not taken; null when it was, or was not asked. */
  readonly skipped: string | null;
}

const MOST_CHARACTERS = 400;
const POSSESSIVE =
  /\b(?:his|its|their|theirs)\b|\bher(?=\s+(?!(?:and|or|in|on|at|to|from|with|when|why|how|as|for|by)\b)\p{L})/iu;
const PRONOUN = /\b(?:he|she|him|her|it|they|them|this one|that one|the former|the latter)\b/iu;
const THING = /\b(?:the|an?|my|our|your|these|those|each|every)\s+\p{L}{2}/iu;
/** "What about", "and", with which a question goes on from the one before. */
const ELLIPSIS =
  /^(?:and|but|or|so|also|then)\b[\s,]*(?:what about|how about|for|in|on|with)?\b|^(?:what|how) about\b|^(?:und|aber)\b/iu;
const BARE = /^(?:why|how|when|where|who|how so|how come|since when|where exactly|and why|and how)\s*\??$/iu;

export function leansOn(question: string): boolean {
  const text = question.trim();
  return ELLIPSIS.test(text) || BARE.test(text) || refers(text);
}

/** A pronoun that nothing in the question itself stands for. */
function refers(text: string): boolean {
  const match = PRONOUN.exec(text) ?? POSSESSIVE.exec(text);
  if (match === null) return false;
  // "It is raining", "is it true": nothing is meant by it.
  if (
    /\b(?:is|was) it (?:true|possible|known|clear|raining)\b|\bit (?:is|was) (?:true|possible|known)\b/iu.test(
      text,
    )
  )
    return false;
  const before = text.slice(0, match.index);
  // "How do I reset the router when it blinks?" says itself what is meant.
  return namesOf(before).length === 0 && !THING.test(before);
}

/** By rules. Null when the question stands alone, or nothing before says what is meant. */
export function rewriteByRules(question: string, turns: readonly Turn[]): string | null {
  const last = turns.at(-1);
  const text = question.replace(/\s+/gu, ' ').trim();
  if (last === undefined || !leansOn(text)) return null;
  const topic = topicOf(turns);
  if (topic === null) return null;
  let rewritten: string | null = null;
  if (BARE.test(text)) rewritten = `${text.replace(/\?$/u, '').trim()}: ${last.question.trim()}`;
  else if (ELLIPSIS.test(text)) rewritten = inPlace(text.replace(ELLIPSIS, '').trim(), last.question, topic);
  if (rewritten === null || refers(rewritten)) rewritten = named(rewritten ?? text, topic);
  return rewritten.slice(0, MOST_CHARACTERS) === text ? null : rewritten.slice(0, MOST_CHARACTERS);
}

/** What the conversation is about: the name asked about last, or the first that was answered, or the words of the question. */
function topicOf(turns: readonly Turn[]): string | null {
  for (const { question, answer } of turns.toReversed().slice(0, 3)) {
    const asked = namesOf(question).at(-1)?.surface;
    if (asked !== undefined) return asked;
    const said = refers(question) ? undefined : namesOf(answer.replace(/\[\d+\]/gu, ''))[0]?.surface;
    const words = wordsIn(question);
    // "Who invented the telephone?": the answer's name is what "he" means, and its question's words are what it is about.
    if (/^\s*(?:who|which)\b/iu.test(question) && said !== undefined) return said;
    if (words.length > 0 && !refers(question)) return words.join(' ');
    if (said !== undefined) return said;
  }
  return null;
}

function wordsIn(question: string): string[] {
  return (question.match(/[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’-]*/gu) ?? [])
    .filter(
      (word) =>
        !isStopWord(word.toLowerCase()) &&
        !/^(?:tell|about|many|much|long|old|does|name|happened?)$/iu.test(word),
    )
    .slice(0, 8);
}

/** "What about France?" after "What is the capital of Germany?": the new name where the old one stood. */
function inPlace(rest: string, before: string, topic: string): string {
  const asked = rest.replace(/[?.!\s]+$/u, '').replace(/^(?:for|in|on|with|the)\s+(?=\p{Lu}|\d)/u, '');
  if (asked === '') return `${before} ${topic}`;
  const newNames = namesOf(`So ${asked}`);
  const oldName = namesOf(before).at(-1);
  if (oldName !== undefined && newNames[0]?.surface === asked)
    return before.replace(oldName.surface, () => asked);
  const newNumbers = numbersOf(asked);
  const oldNumbers = numbersOf(before);
  const fresh = newNumbers.quantities[0] ?? newNumbers.dates[0];
  const old = oldNumbers.quantities.find(({ weak }) => !weak) ?? oldNumbers.dates[0];
  if (fresh !== undefined && old !== undefined && fresh.surface === asked)
    return before.replace(old.surface, () => asked);
  // A whole question of its own: "And when did it end?"
  if (/^(?:what|who|when|where|why|how|which|is|are|was|were|does|did|do|can|could)\b/iu.test(asked))
    return refers(`${asked}?`) || namesOf(asked).length > 0 ? `${asked}?` : `${asked} (${topic})?`;
  return `${before.replace(/[?.!\s]+$/u, '')}: ${asked}?`;
}

/** The topic in the place of the pronoun. */
function named(text: string, topic: string): string {
  const owned = POSSESSIVE.exec(text);
  const meant = PRONOUN.exec(text);
  if (owned !== null && (meant === null || owned.index <= meant.index))
    return `${text.slice(0, owned.index)}${topic}${/s$/u.test(topic) ? '’' : '’s'}${text.slice(owned.index + owned[0].length)}`;
  if (meant !== null)
    return `${text.slice(0, meant.index)}${topic}${text.slice(meant.index + meant[0].length)}`;
  return `${text} (${topic})`;
}

export interface RewriteOptions {
  readonly writer?: Writer | null;
  /** ms that the writer may take. @default 1500 */
  readonly budgetMs?: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Asks the writer only where the question leans on what was said before. */
export async function rewriteFollowUp(
  question: string,
  turns: readonly Turn[],
  { writer = null, budgetMs = 1500, clock, signal }: RewriteOptions,
): Promise<Rewritten> {
  if (turns.length === 0 || !leansOn(question)) return { question, by: null, skipped: null };
  const ruled = rewriteByRules(question, turns);
  const byRules: Rewritten = {
    question: ruled ?? question,
    by: ruled === null ? null : 'rules',
    skipped: null,
  };
  if (writer === null) return byRules;
  const written = await withinBudget({ budgetMs, clock, signal }, (within) =>
    ask(writer, question, turns, within),
  );
  if ('skipped' in written) return { ...byRules, skipped: written.skipped };
  const text = usable(written.value, question, turns);
  return text === null
    ? { ...byRules, skipped: 'what it wrote is no question about this conversation' }
    : { question: text, by: 'writer', skipped: null };
}

async function ask(
  writer: Writer,
  question: string,
  turns: readonly Turn[],
  signal: AbortSignal,
): Promise<string> {
  const said = turns
    .slice(-2)
    .map(
      ({ question: asked, answer }) =>
        `Question: ${plain(asked).slice(0, 300)}\nAnswer: ${plain(answer).slice(0, 400)}`,
    )
    .join('\n');
  let text = '';
  for await (const piece of writer.write(
    [
      {
        role: 'system',
        content:
          'Rewrite the last question so that it can be understood without the conversation: put names in the place of words like "it" and "she". Do not answer it. Write the question only.',
      },
      {
        role: 'user',
        content: `${said}\n\nLast question: ${plain(question).slice(0, 300)}\n\nRewritten question:`,
      },
    ],
    { maxTokens: 80, temperature: 0, signal },
  )) {
    text += piece;
    if (text.length > MOST_CHARACTERS || /\S[^\n]*\n/u.test(text)) break;
  }
  return text;
}

/** One line that names nothing that was not spoken of. Null when it is anything else. */
function usable(text: string, question: string, turns: readonly Turn[]): string | null {
  const line = text
    .trim()
    .split('\n')[0]!
    .replace(/^(?:rewritten )?question:\s*/iu, '')
    .replace(/^["“]|["”]$/gu, '')
    .trim();
  if (line.length < 4 || line.length > MOST_CHARACTERS || leansOn(line)) return null;
  const spoken = fold([question, ...turns.flatMap((turn) => [turn.question, turn.answer])].join(' '));
  const known = new Set(foldedWords(spoken));
  const invented =
    namesOf(line).some(({ words }) => words.some((word) => !known.has(word))) ||
    foldedWords(line).some((word) => /\d/.test(word) && !known.has(word));
  const kept = foldedWords(question).filter((word) => !isStopWord(word) && !PRONOUN.test(word));
  const words = new Set(foldedWords(line));
  return invented || (kept.length > 0 && !kept.some((word) => words.has(word))) ? null : line;
}
