/**
 * Puts a tree on the page and changes it node by node: what stays the same keeps its element, and text that grows
 * keeps its text node, so that a selection survives.
 *
 * @module web/chat/markdown/dom
 */
import { colour } from './colour.ts';
import {
  type CodeNode,
  type ElementNode,
  sameAttributes,
  sameNode,
  type TreeNode,
  type WordNode,
} from './tree.ts';

/** The words around an answer, in the reader's language. */
export interface Labels {
  copy(): string;
  copied(): string;
  code(language: string): string;
  table(): string;
  word(node: WordNode): string;
}

/** Makes `parent`'s children show `next`, where they showed `before`. */
export function patch(
  parent: Node,
  before: readonly TreeNode[],
  next: readonly TreeNode[],
  labels: Labels,
): void {
  for (const [index, node] of next.entries()) {
    const old = before[index];
    if (old === undefined) parent.appendChild(create(node, labels));
    else if (!sameNode(old, node)) change(parent, parent.childNodes[index]!, old, node, labels);
  }
  for (let index = before.length - 1; index >= next.length; index--) parent.childNodes[index]!.remove();
}

function change(parent: Node, place: ChildNode, old: TreeNode, next: TreeNode, labels: Labels): void {
  if (typeof old === 'string' && typeof next === 'string') grow(place as Text, old, next);
  else if (typeof old === 'string' || typeof next === 'string')
    parent.replaceChild(create(next, labels), place);
  else if (old.kind === 'code' && next.kind === 'code' && old.language === next.language) {
    const code = (place as Element).querySelector('code')!;
    // Coloured code has elements in it: it begins again as plain text.
    if (code.childNodes.length === 1 && code.firstChild instanceof Text)
      grow(code.firstChild, old.text, next.text);
    else code.textContent = next.text;
  } else if (
    old.kind === 'element' &&
    next.kind === 'element' &&
    old.tag === next.tag &&
    sameAttributes(old.attributes, next.attributes)
  ) {
    patch(insideOf(place as Element, next), old.children, next.children, labels);
  } else parent.replaceChild(create(next, labels), place);
}

function grow(text: Text, old: string, next: string): void {
  if (next.startsWith(old)) text.appendData(next.slice(old.length));
  else text.data = next;
}

/** Where the children of a node are: a table stands in a box that scrolls. */
function insideOf(place: Element, node: ElementNode): Element {
  return node.tag === 'table' ? place.firstElementChild! : place;
}

function create(node: TreeNode, labels: Labels): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  if (node.kind === 'code') return createCode(node, labels);
  if (node.kind === 'word') {
    const word = document.createElement('span');
    word.className = 'left-out';
    word.textContent = `${labels.word(node)} `;
    return word;
  }
  const element = document.createElement(node.tag);
  for (const [name, value] of Object.entries(node.attributes)) element.setAttribute(name, value);
  for (const child of node.children) element.appendChild(create(child, labels));
  if (node.tag !== 'table') return element;
  const box = document.createElement('div');
  box.className = 'wide-table';
  box.tabIndex = 0;
  box.role = 'group';
  box.ariaLabel = labels.table();
  box.appendChild(element);
  return box;
}

function createCode({ language, text }: CodeNode, labels: Labels): Element {
  const figure = document.createElement('figure');
  figure.className = 'code';
  const head = document.createElement('figcaption');
  head.className = 'code-head';
  const name = document.createElement('span');
  name.textContent = language;
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'copy-code';
  copy.textContent = labels.copy();
  copy.ariaLabel = `${labels.copy()}: ${labels.code(language)}`;
  const pre = document.createElement('pre');
  pre.tabIndex = 0;
  pre.role = 'group';
  pre.dir = 'ltr';
  pre.ariaLabel = labels.code(language);
  const code = document.createElement('code');
  code.appendChild(document.createTextNode(text));
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.textContent ?? '').then(
      () => {
        copy.textContent = labels.copied();
      },
      () => {
        // Without the right to the clipboard the reader can still copy what is selected.
        getSelection()?.selectAllChildren(code);
      },
    );
    setTimeout(() => {
      copy.textContent = labels.copy();
    }, 1_600);
  });
  head.append(name, copy);
  pre.appendChild(code);
  figure.append(head, pre);
  return figure;
}

/** Colours the code blocks among the nodes from `from` up to `to`, unless they are coloured. */
export function colourCode(parent: Element, nodes: readonly TreeNode[], from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const node = nodes[index];
    if (typeof node !== 'object' || node.kind === 'word') continue;
    const place = parent.children[index] as HTMLElement | undefined;
    if (!place) continue;
    if (node.kind === 'element') {
      if (node.tag === 'ul' || node.tag === 'ol' || node.tag === 'li' || node.tag === 'blockquote') {
        for (const figure of place.querySelectorAll<HTMLElement>('figure.code')) colourOne(figure);
      }
    } else colourOne(place);
  }
}

function colourOne(figure: HTMLElement): void {
  if (figure.dataset.coloured !== undefined) return;
  figure.dataset.coloured = '';
  const code = figure.querySelector('code')!;
  const text = code.textContent ?? '';
  const language = figure.querySelector('figcaption > span')!.textContent ?? '';
  void colour(language, text).then((fragment) => {
    // The block may have been changed by then.
    if (fragment && code.isConnected && code.textContent === text) code.replaceChildren(fragment);
  });
}
