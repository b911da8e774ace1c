/**
 * Checks of plain answers: completion, latency, streaming.
 *
 * @module gateway/checkup/answers
 */
import type { Asked } from './ask.ts';
import { explainAsk } from './explain.ts';
import { askIn, type Finding, type Visit } from './visit.ts';

const ms = (value: number): number => Math.round(value * 10) / 10;

/** The first real answer; `credentials` and `completion` look at it. */
export async function askFirst(visit: Visit): Promise<void> {
  visit.first = await askIn(visit, { text: 'Reply with the single word: ready', maxTokens: 48 });
}

export function checkCompletion(visit: Visit): Finding {
  const asked = visit.first!;
  const failed = explainAsk(asked, visit.checkMs);
  if (failed !== null) return failed;
  const measured = {
    model: visit.model,
    answeredBy: asked.answeredBy,
    characters: asked.text.length,
    finish: asked.finish,
    tokens: asked.tokens,
    ms: ms(asked.ms),
  };
  const warn = (message: string, remedy: string): Finding => ({ state: 'warn', message, remedy, measured });
  if (asked.text.trim() === '') {
    return asked.finish === 'length'
      ? warn(
          `'${visit.model}' used all of its 48 tokens and wrote no text: it thinks before it answers.`,
          'Leave requests to it room to think, with a higher limit of tokens.',
        )
      : {
          state: 'fail',
          message: `'${visit.model}' gave an empty answer (${asked.finish ?? 'no reason'}).`,
          remedy: 'Check that it is a chat model, and that it has its chat template on that server.',
          measured,
        };
  }
  const message = `'${visit.model}' answered: ${quoted(asked.text)}`;
  if (asked.tokens === null)
    return warn(
      `${message} It did not say how many tokens that took.`,
      'Usage and cost of its answers cannot be counted; configure the kind of server that it is.',
    );
  return { state: 'ok', message, measured };
}

export async function checkLatency(visit: Visit): Promise<Finding> {
  const tries = Math.min(Math.max(1, Math.trunc(visit.options.tries ?? 3)), 20);
  const first: number[] = [];
  const whole: number[] = [];
  let failure: Finding | null = null;
  for (let nth = 0; nth < tries && !visit.signal.aborted; nth++) {
    const asked = await askIn(visit, { text: 'Reply with the single word: ready', maxTokens: 8 });
    failure ??= explainAsk(asked, visit.checkMs);
    if (asked.error !== null || asked.late || asked.overrun) continue;
    // An answer without text (one that thinks) has no first piece.
    if (asked.pieces.length > 0) first.push(asked.pieces[0]!);
    whole.push(asked.ms);
  }
  const firstMs = median(first);
  const wholeMs = median(whole);
  const measured = {
    firstTokenMs: firstMs === null ? null : ms(firstMs),
    wholeMs: wholeMs === null ? null : ms(wholeMs),
    slowestMs: whole.length === 0 ? null : ms(Math.max(...whole)),
    answered: whole.length,
    tries,
  };
  if (whole.length === 0) return { ...failure!, measured };
  const figures = `First token after ${firstMs === null ? 'an unknown time' : `${measured.firstTokenMs} ms`}, whole after ${measured.wholeMs} ms (median of ${whole.length}).`;
  if (whole.length < tries)
    return {
      state: 'warn',
      message: `${tries - whole.length} of ${tries} asks failed: ${failure?.message ?? 'the time was over.'} ${figures}`,
      remedy: failure?.remedy ?? 'Look at the log of that server.',
      code: failure?.code ?? null,
      measured,
    };
  return { state: 'ok', message: figures, measured };
}

/** An answer in fewer pieces was not streamed. */
const leastPieces = 3;
/** Where all pieces come within this share of the whole time, at its end, something held them back. */
const heldShare = 0.1;
/** Below it nobody could tell, and nobody would mind. */
const heldMs = 300;

export async function checkStreaming(visit: Visit): Promise<Finding> {
  const asked = await askIn(visit, { text: 'Count from 1 to 20, with spaces.', maxTokens: 48 });
  const failed = explainAsk(asked, visit.checkMs);
  if (failed !== null) return failed;
  const firstMs = asked.pieces[0] ?? null;
  const lastMs = asked.pieces.at(-1) ?? null;
  const measured = {
    pieces: asked.pieces.length,
    firstTokenMs: firstMs === null ? null : ms(firstMs),
    lastTokenMs: lastMs === null ? null : ms(lastMs),
    tokens: asked.completionTokens,
    finish: asked.finish,
    ending: asked.ending,
  };
  const warn = (message: string, remedy: string): Finding => ({ state: 'warn', message, remedy, measured });
  if (firstMs === null || lastMs === null)
    return warn('There was no text in its answer by which to tell.', 'Give its model room to think.');
  if (asked.pieces.length < leastPieces && isLong(asked))
    return warn(
      `Its answer of ${asked.completionTokens ?? 'several'} tokens came in ${asked.pieces.length === 1 ? 'one piece' : `${asked.pieces.length} pieces`}: it does not stream.`,
      'Answers begin only when they are whole; look for a setting of that server, or of a proxy before it.',
    );
  if (lastMs > heldMs && lastMs - firstMs < heldShare * lastMs && asked.pieces.length >= leastPieces)
    return warn(
      `All ${asked.pieces.length} pieces came within ${ms(lastMs - firstMs)} ms, after ${ms(firstMs)} ms of nothing: something holds the stream back.`,
      'Switch buffering off in the proxy before that server (nginx: proxy_buffering off).',
    );
  if (asked.ending === 'broken')
    return warn(
      'Its answer was whole, but its stream did not end as it should.',
      'Update that server; each answer costs a connection and a moment of waiting.',
    );
  const tail =
    asked.ending === 'closed'
      ? ' It ends without the mark of the end (`[DONE]`), which is read all the same.'
      : '';
  return {
    state: 'ok',
    message: `${asked.pieces.length} pieces from ${ms(firstMs)} to ${ms(lastMs)} ms, ended with '${asked.finish ?? 'nothing'}'.${tail}`,
    measured,
  };
}

/** More than a word or two, by its count or by its text. */
const isLong = ({ completionTokens, text }: Asked): boolean =>
  completionTokens === null ? text.length > 12 : completionTokens > 4;

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function quoted(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return `"${line.length > 60 ? `${line.slice(0, 60).toWellFormed()}...` : line}"`;
}
