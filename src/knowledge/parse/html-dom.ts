/**
 * HTML as a tree, the part of it that is used. Walks go from node to node without calling themselves, since strangers may
 * nest elements a million deep.
 *
 * @module knowledge/parse/html-dom
 */
import { parseHTML } from 'linkedom';
import { TooDeep } from './failures.ts';

export interface DomNode {
  readonly nodeType: number;
  /** Upper case for HTML elements. */
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly parentNode: DomNode | null;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
}

export interface DomElement extends DomNode {
  getAttribute(name: string): string | null;
}

export interface Dom {
  /** The element around all others. A document's own siblings of it are not linked to each other. */
  readonly root: DomNode;
  /** The same as what a browser's `document` is, for Readability. */
  readonly document: unknown;
}

export const TEXT_NODE = 3;
const ELEMENT_NODE = 1;

export const isElement = (node: DomNode): node is DomElement => node.nodeType === ELEMENT_NODE;

/** Name of an element in lower case, without a prefix. */
export function tagOf(node: DomNode): string {
  const name = node.nodeName.toLowerCase();
  return name.slice(name.indexOf(':') + 1);
}

/** Elements that are inside each other; the parser's time grows with the square of that. */
const LEVELS = 10_000;
/** Elements without an end, and those that the next one of their kind ends. */
const ENDLESS = new Set(
  (
    'area base br col embed hr img input link meta param source track wbr ' +
    'p li dt dd option optgroup tr td th thead tbody tfoot colgroup rb rp rt rtc'
  ).split(' '),
);

/** @throws {TooDeep} before the parser sees what would keep it for minutes. */
function refuseDeep(html: string): void {
  let depth = 0;
  for (const [, slash, tag] of html.matchAll(/<(\/?)([a-z][a-z0-9]{0,20})/gi)) {
    if (ENDLESS.has(tag!.toLowerCase())) continue;
    depth = slash === '/' ? Math.max(0, depth - 1) : depth + 1;
    if (depth > LEVELS) throw new TooDeep(`elements are nested deeper than ${LEVELS} levels`);
  }
}

/** @throws {TooDeep} */
export function parseDom(html: string): Dom {
  refuseDeep(html);
  // The parser wants a root: what stands beside it would be lost.
  const whole = /<html[\s>]/i.test(html.slice(0, 100_000)) ? html : `<html><body>${html}</body></html>`;
  const document = parseHTML(whole).document as unknown as DomNode & {
    readonly documentElement: DomNode | null;
  };
  return { root: document.documentElement ?? document, document };
}

export interface DomVisitor {
  /** False leaves out what is inside; `leave` is not called then. */
  enter(node: DomNode): boolean;
  leave(node: DomNode): void;
}

/** Visits what is below `root`, in the order of the text. */
export function walkDom(root: DomNode, visitor: DomVisitor): void {
  let node = root.firstChild;
  while (node !== null) {
    let next: DomNode | null = null;
    if (visitor.enter(node)) {
      next = node.firstChild;
      if (next === null) visitor.leave(node);
    }
    let from: DomNode = node;
    while (next === null) {
      next = from.nextSibling;
      if (next !== null) break;
      const parent: DomNode | null = from.parentNode;
      if (parent === null || parent === root) return;
      visitor.leave(parent);
      from = parent;
    }
    node = next;
  }
}

/** The first element below `root` with a name, from the top. */
export function findElement(root: DomNode, tag: string): DomElement | null {
  let found: DomElement | null = null;
  walkDom(root, {
    enter: (node) => {
      if (found === null && isElement(node) && tagOf(node) === tag) found = node;
      return found === null;
    },
    leave: () => {},
  });
  return found;
}

export interface DomSize {
  readonly characters: number;
  readonly elements: number;
  readonly depth: number;
}

/** Characters of the text below a node, its elements, and the deepest nesting. */
export function measureDom(root: DomNode): DomSize {
  let characters = 0;
  let elements = 0;
  let depth = 0;
  let deepest = 0;
  walkDom(root, {
    enter: (node) => {
      if (node.nodeType === TEXT_NODE) characters += (node.nodeValue ?? '').replace(/\s+/g, ' ').length;
      if (!isElement(node) || UNSEEN.has(tagOf(node))) return false;
      depth += 1;
      elements += 1;
      deepest = Math.max(deepest, depth);
      return true;
    },
    leave: () => {
      depth -= 1;
    },
  });
  return { characters, elements, depth: deepest };
}

/** Elements whose content is no text of the page. */
export const UNSEEN: ReadonlySet<string> = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'iframe',
  'object',
  'embed',
  'svg',
  'canvas',
  'audio',
  'video',
  'select',
  'textarea',
  'button',
  'input',
  'dialog',
  'link',
  'meta',
  'title',
]);

export function isHidden(element: DomElement): boolean {
  if (element.getAttribute('hidden') !== null || element.getAttribute('aria-hidden') === 'true') return true;
  const style = element.getAttribute('style');
  return (
    style !== null &&
    /(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)/i.test(style.slice(0, 2_000))
  );
}
