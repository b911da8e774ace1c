/**
 * Links of Obsidian and other wikis of notes: `[[Note#Heading|Label]]`, embeds `![[...]]`, and `#tags` in the text.
 *
 * @module knowledge/parse/wikilinks
 */
import type { DocumentWriter } from './document-writer.ts';

export interface Wikilink {
  readonly target: string;
  readonly label: string | null;
  readonly embed: boolean;
  /** Characters of the text that it takes. */
  readonly span: readonly [number, number];
}

/** Longer ones are no links: somebody forgot the end. */
const LONGEST = 500;

export function* wikilinksIn(text: string): Generator<Wikilink> {
  for (let at = text.indexOf('[['); at !== -1; ) {
    const inside = text.slice(at + 2, at + 2 + LONGEST);
    const end = inside.search(/\]\]|\[\[|\n/);
    if (end <= 0 || inside[end] !== ']') {
      at = text.indexOf('[[', at + 2);
      continue;
    }
    const embed = text[at - 1] === '!';
    const [target = '', ...rest] = inside.slice(0, end).replaceAll('\\|', '|').split('|');
    const label = rest.join('|').trim();
    const to = target.trim();
    const span = [embed ? at - 1 : at, at + 2 + end + 2] as const;
    if (to !== '') yield { target: to, label: label === '' ? null : label, embed, span };
    at = text.indexOf('[[', span[1]);
  }
}

const IMAGE = /\.(?:png|jpe?g|gif|svg|webp|bmp|avif|mp[34]|m4a|wav|ogg|webm|mov|mkv)$/i;
const TAG = /(^|[\s(,;])#([\p{L}\p{N}_/-]{1,100})/gu;

/** What a reader sees of a link without label: `Note#Heading` is `Note › Heading`, a block's id is not shown. */
function shown(target: string): string {
  const [note = '', ...anchors] = target.split('#');
  return [note, ...anchors.filter((anchor) => !anchor.startsWith('^'))]
    .filter((part) => part !== '')
    .join(' › ');
}

/** The text as read, its links and tags given to the writer. */
export function withoutWikiMarks(text: string, writer: DocumentWriter): string {
  let out = '';
  let from = 0;
  for (const { target, label, embed, span } of wikilinksIn(text)) {
    writer.link(embed ? 'embed' : 'wiki', target, label);
    out += text.slice(from, span[0]);
    // An embed's label is the width of a picture.
    if (!embed) out += label ?? shown(target);
    else if (!IMAGE.test(target)) out += shown(target);
    from = span[1];
  }
  const plain = out + text.slice(from);
  for (const [, , tag] of plain.matchAll(TAG)) if (!/^[\d/_-]+$/.test(tag!)) writer.tag(tag!);
  return plain;
}
