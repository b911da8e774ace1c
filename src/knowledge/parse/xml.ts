/**
 * XML of office files as a walk over elements, within a depth. Entities that a document declares are not known to the parser.
 *
 * @module knowledge/parse/xml
 */
import { SaxesParser } from 'saxes';
import { decodeText } from './decode.ts';
import { broken, tooLarge, wordsOf } from './failures.ts';
import type { ParseLimits } from './types.ts';

export type XmlAttributes = Readonly<Record<string, string>>;

export interface XmlHandlers {
  /** Names come without their prefix, those of attributes with it. */
  readonly open?: (name: string, attributes: XmlAttributes) => void;
  readonly close?: (name: string) => void;
  readonly text?: (text: string) => void;
}

/** Name of an element without its prefix. */
export const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** What a handler throws to end the walk early. */
export const END_WALK = Symbol('enough was read');

/** @param name of the file, for messages. */
export function readXml(name: string, bytes: Uint8Array, limits: ParseLimits, handlers: XmlHandlers): void {
  const parser = new SaxesParser({ fileName: name });
  let depth = 0;
  parser.on('opentag', (tag) => {
    depth += 1;
    if (depth > limits.depth) throw tooLarge(name, `is nested deeper than ${limits.depth} levels`);
    handlers.open?.(localName(tag.name), tag.attributes as XmlAttributes);
  });
  parser.on('closetag', (tag) => {
    depth -= 1;
    handlers.close?.(localName(tag.name));
  });
  parser.on('text', (text) => handlers.text?.(text));
  parser.on('cdata', (text) => handlers.text?.(text));
  parser.on('error', (error) => {
    throw broken(name, `its XML is wrong (${wordsOf(error)})`);
  });
  try {
    parser.write(decodeText(bytes).text).close();
  } catch (thrown) {
    if (thrown !== END_WALK) throw thrown;
  }
}
