/**
 * An entry of a dream's journal on a terminal.
 *
 * @module cli/journal-line
 */
import type { DreamEntry } from '../server/index.ts';
import { inLine } from './lines.ts';
import { paint } from './output.ts';

/** Characters of a value, a reason and a sentence. */
const SHOWN = 160;

/** One line, whatever documents say. */
export function journalLine({ kind, subject, what, value, why, by, sentence }: DreamEntry): string {
  const cut = (text: string, most = SHOWN): string =>
    inLine(text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const head =
    kind === 'read'
      ? `passage ${inLine(subject)} ${inLine(what)}`
      : `${paint('bold', cut(subject, 60))} ${inLine(what)} ${cut(value)}`;
  const reason = kind === 'read' ? cut(value) : `${by}: ${cut(why)}`;
  const quote = sentence !== null && sentence !== value ? `  “${cut(sentence)}”` : '';
  return `${head}  ${paint('dim', reason)}${quote}`;
}
