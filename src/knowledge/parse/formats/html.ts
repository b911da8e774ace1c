/**
 * Web pages: the article where Readability finds one, else the whole body. No script runs, nothing is fetched.
 *
 * @module knowledge/parse/formats/html
 */
import { Readability } from '@mozilla/readability';
import type { ParsedDocument } from '../../types.ts';
import { decodeText } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import { writeHtmlBlocks } from '../html-blocks.ts';
import {
  type DomElement,
  type DomNode,
  findElement,
  isElement,
  measureDom,
  parseDom,
  tagOf,
  walkDom,
} from '../html-dom.ts';
import type { ParserInput } from '../parser.ts';
import type { ParseLimits } from '../types.ts';

/** Around the text of most pages, and not the text. */
const AROUND = new Set(['nav', 'footer', 'aside']);
/** An article shorter than this is most likely a banner. */
const ARTICLE_CHARACTERS = 250;
/** An article with less than this part of the page's text is most likely one of several. */
const ARTICLE_SHARE = 0.4;
/** Larger pages are no articles, and Readability takes its time on them. */
const READABLE_CHARACTERS = 1_500_000;
const READABLE_ELEMENTS = 15_000;
const META = new Map([
  ['author', 'author'],
  ['description', 'description'],
  ['article:published_time', 'published'],
  ['date', 'published'],
  ['og:site_name', 'site'],
]);

/** Text of a page in the encoding that it names, where its bytes do not tell. */
function textOfPage(bytes: Uint8Array, writer: DocumentWriter): string {
  const { text, guess } = decodeText(bytes);
  if (guess === null) return text;
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4_096));
  const named =
    /<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]{2,40})/i.exec(head)?.[1] ??
    /^\s*<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([\w-]{2,40})/i.exec(head)?.[1];
  if (named !== undefined && !/^utf-?8$/i.test(named)) {
    try {
      return new TextDecoder(named).decode(bytes);
    } catch {
      // A name that nobody knows; the guess stands.
    }
  }
  writer.note('encoding_guessed', `The encoding had to be guessed: the text was ${guess}.`);
  return text;
}

function writeHead(root: DomNode, writer: DocumentWriter): void {
  const language = isElement(root) ? root.getAttribute('lang') : null;
  if (language !== null) writer.property('language', language);
  walkDom(root, {
    enter: (node) => {
      if (!isElement(node) || tagOf(node) === 'body') return false;
      const tag = tagOf(node);
      if (tag === 'title') writer.title(node.firstChild?.nodeValue);
      else if (tag === 'meta') writeMeta(node, writer);
      return true;
    },
    leave: () => {},
  });
}

function writeMeta(node: DomElement, writer: DocumentWriter): void {
  const name = (node.getAttribute('name') ?? node.getAttribute('property') ?? '').toLowerCase();
  const content = node.getAttribute('content') ?? '';
  if (name === 'keywords') for (const tag of content.split(/[,;]\s*/)) writer.tag(tag);
  const key = META.get(name);
  if (key !== undefined) writer.property(key, content);
}

/** The article of a page as HTML; null where there is none, or it is only a part of the text. */
function articleOf(html: string, limits: ParseLimits): string | null {
  if (html.length > READABLE_CHARACTERS) return null;
  const { document, root } = parseDom(html);
  const body = findElement(root, 'body');
  if (body === null) return null;
  const size = measureDom(body);
  // Readability calls itself for each level.
  if (size.depth > limits.depth || size.elements > READABLE_ELEMENTS) return null;
  try {
    // It works on the tree it is given, which is of no use afterwards.
    const reader = new Readability(document as never, {
      charThreshold: ARTICLE_CHARACTERS,
    });
    const article = reader.parse();
    const length = article?.length ?? 0;
    if (length < ARTICLE_CHARACTERS || length < ARTICLE_SHARE * size.characters) return null;
    return article?.content ?? null;
  } catch {
    // Pages that it cannot work on have a body all the same.
    return null;
  }
}

export function parseHtml({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const html = textOfPage(bytes, writer);
  const { root } = parseDom(html);
  writeHead(root, writer);
  const article = articleOf(html, limits);
  if (article !== null) {
    writeHtmlBlocks(parseDom(article).root, writer);
    return writer.finish();
  }
  const body = findElement(root, 'body') ?? root;
  writeHtmlBlocks(body, writer, { without: AROUND });
  return writer.finish();
}
