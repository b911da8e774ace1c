/**
 * Mails: who wrote whom, the text, and attachments that can be read.
 *
 * @module knowledge/parse/formats/eml
 */
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { isKithError } from '../../../base/index.ts';
import type { ParsedDocument } from '../../types.ts';
import { DocumentWriter } from '../document-writer.ts';
import { wordsOf } from '../failures.ts';
import { writeHtmlBlocks } from '../html-blocks.ts';
import { parseDom } from '../html-dom.ts';
import type { ParserInput } from '../parser.ts';
import { writePlain } from './text.ts';

/** Attachments of one mail that are read. */
const ATTACHMENTS = 100;
const PEOPLE = 500;

function peopleIn(addresses: readonly Address[]): { readonly name: string; readonly address: string }[] {
  return addresses.flatMap((entry) => (entry.group === undefined ? [entry] : entry.group)).slice(0, PEOPLE);
}

function writePeople(
  writer: DocumentWriter,
  header: string,
  addresses: readonly Address[] | undefined,
): void {
  const people = peopleIn(addresses ?? []);
  for (const { name, address } of people) if (address !== '') writer.link('person', address, name);
  writer.property(
    header,
    people.map(({ name, address }) => (name === '' ? address : `${name} <${address}>`)),
  );
}

function writeHeaders(writer: DocumentWriter, mail: Email): void {
  writer.title(mail.subject);
  writePeople(writer, 'from', mail.from === undefined ? [] : [mail.from]);
  writePeople(writer, 'to', mail.to);
  writePeople(writer, 'cc', mail.cc);
  writePeople(writer, 'bcc', mail.bcc);
  if (mail.date !== undefined) writer.property('date', mail.date);
  if (mail.messageId !== undefined) writer.property('message-id', mail.messageId);
  if (mail.inReplyTo !== undefined) writer.property('in-reply-to', mail.inReplyTo);
  const list = mail.headers.find(({ key }) => key === 'list-id')?.value;
  if (list !== undefined) writer.property('list-id', list);
}

function bytesOf({ content }: Attachment): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return new Uint8Array(content as ArrayBuffer);
}

/** Pictures in signatures and the like are not said to be unreadable. */
const SILENT = /^(?:image|audio|video|font)\/|pkcs7-signature|pgp-signature/;

/** Blocks of the attached document below a heading with its name. */
function append(writer: DocumentWriter, part: string, document: ParsedDocument): void {
  if (document.sections.length === 0) {
    writer.topLevel();
    writer.heading(1, part);
  }
  for (const { headings, blocks } of document.sections) {
    writer.topLevel();
    writer.heading(1, part);
    for (const [index, heading] of headings.entries()) writer.heading(index + 2, heading);
    for (const { kind, text, place } of blocks) writer.block(kind, text, { ...place, part });
  }
  for (const { kind, target, label } of document.links) writer.link(kind, target, label);
  for (const { code, message } of document.notes) writer.note(code, `${part}: ${message}`);
}

export async function parseEml({ bytes, limits, inner }: ParserInput): Promise<ParsedDocument> {
  const writer = new DocumentWriter(limits);
  const mail = await new PostalMime({
    maxNestingDepth: Math.min(50, limits.depth),
    forceRfc822Attachments: true,
  }).parse(bytes);
  writeHeaders(writer, mail);
  if (mail.text !== undefined && mail.text.trim() !== '') writePlain(writer, mail.text);
  else if (mail.html !== undefined) writeHtmlBlocks(parseDom(mail.html).root, writer);
  for (const [index, attachment] of mail.attachments.entries()) {
    const part =
      attachment.filename ?? `part ${index + 1}${attachment.mimeType === 'message/rfc822' ? '.eml' : ''}`;
    if (index >= ATTACHMENTS) {
      writer.note('cut', `Only the first ${ATTACHMENTS} attachments were read.`);
      break;
    }
    if (SILENT.test(attachment.mimeType) || writer.full) continue;
    if (inner === null) {
      writer.note(
        'part_failed',
        `${part} was left out: it is attached to something that is attached itself.`,
      );
      continue;
    }
    try {
      append(writer, part, await inner(part, bytesOf(attachment)));
    } catch (thrown) {
      writer.note('part_failed', isKithError(thrown) ? thrown.message : `${part}: ${wordsOf(thrown)}`);
    }
  }
  return writer.finish();
}
