/**
 * Markdown as a small tree of what the page is willing to show. Nothing in it can run or load: raw HTML stays text,
 * links lead to http, https and mailto only, images become their words.
 *
 * @module web/chat/markdown/tree
 */
import type { Token, Tokens } from 'marked';
import { decodeEntities } from './entities.ts';

export type Tag =
  | 'p'
  | 'h3'
  | 'h4'
  | 'h5'
  | 'h6'
  | 'ul'
  | 'ol'
  | 'li'
  | 'blockquote'
  | 'hr'
  | 'br'
  | 'strong'
  | 'em'
  | 'del'
  | 'code'
  | 'a'
  | 'table'
  | 'thead'
  | 'tbody'
  | 'tr'
  | 'th'
  | 'td'
  | 'span';

export interface ElementNode {
  readonly kind: 'element';
  readonly tag: Tag;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly TreeNode[];
}

export interface CodeNode {
  readonly kind: 'code';
  readonly language: string;
  readonly text: string;
}

/** What the page shows in the reader's language: an image that it does not load, the state of a task. */
export interface WordNode {
  readonly kind: 'word';
  readonly word: 'image' | 'done' | 'open';
  readonly text: string;
}

export type TreeNode = string | ElementNode | CodeNode | WordNode;

const maxLanguage = 40;
/** Deeper than people write; a model that repeats one character nests without end. */
const maxDepth = 24;

function element(
  tag: Tag,
  children: readonly TreeNode[] = [],
  attributes: Readonly<Record<string, string>> = {},
): ElementNode {
  return { kind: 'element', tag, attributes, children: joined(children) };
}

/** Neighbouring texts as one, so that a tree has one form and can be compared node by node. */
function joined(nodes: readonly TreeNode[]): TreeNode[] {
  const out: TreeNode[] = [];
  for (const node of nodes) {
    const last = out.at(-1);
    if (typeof node === 'string' && typeof last === 'string') out[out.length - 1] = last + node;
    else if (node !== '') out.push(node);
  }
  return out;
}

/** Blocks of the lexer as nodes: at most one for each token. */
export function blockNodes(tokens: readonly Token[], depth = 0): TreeNode[] {
  return tokens.flatMap((token) => block(token, depth) ?? []);
}

function block(token: Token, depth: number): TreeNode | null {
  if (depth > maxDepth) return element('p', [token.raw], { class: 'plain' });
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'hr':
      return element('hr');
    case 'code': {
      const { text, lang } = token as Tokens.Code;
      const language = decodeEntities(/^\S*/.exec(lang ?? '')?.[0] ?? '').slice(0, maxLanguage);
      return { kind: 'code', language, text };
    }
    case 'heading': {
      const { depth: level, tokens } = token as Tokens.Heading;
      // The page has its h1, a question is an h2: the headings of an answer stand below.
      const tag = (['h3', 'h4', 'h5', 'h6'] as const)[Math.min(level, 4) - 1]!;
      return element(tag, inlineNodes(tokens, depth + 1), { dir: 'auto' });
    }
    case 'blockquote':
      return element('blockquote', blockNodes((token as Tokens.Blockquote).tokens, depth + 1), {
        dir: 'auto',
      });
    case 'list':
      return list(token as Tokens.List, depth);
    case 'table':
      return table(token as Tokens.Table, depth);
    case 'html':
      return element('p', [token.raw.replace(/\n+$/, '')], { class: 'plain', dir: 'auto' });
    case 'text': {
      // Text of a tight list item: without a paragraph around it.
      const { tokens, text } = token as Tokens.Text;
      return element('span', tokens ? inlineNodes(tokens, depth + 1) : [decodeEntities(text)]);
    }
    case 'paragraph':
      return element('p', inlineNodes((token as Tokens.Paragraph).tokens, depth + 1), { dir: 'auto' });
    default:
      return element('p', [token.raw], { class: 'plain', dir: 'auto' });
  }
}

function list({ ordered, start, items }: Tokens.List, depth: number): ElementNode {
  const children = items.map((item) => {
    const mark: TreeNode[] = item.task
      ? [{ kind: 'word', word: item.checked ? 'done' : 'open', text: '' }]
      : [];
    const content = item.tokens.filter((token) => token.type !== 'checkbox');
    return element('li', [...mark, ...blockNodes(content, depth + 1)], { dir: 'auto' });
  });
  if (!ordered) return element('ul', children, { dir: 'auto' });
  const first = typeof start === 'number' && start !== 1 ? { start: String(start) } : {};
  const last = (typeof start === 'number' ? start : 1) + items.length;
  return element('ol', children, { dir: 'auto', ...first, ...(last > 99 ? { class: 'wide' } : {}) });
}

const alignment = { center: 'centre', right: 'end' } as const;

function table({ header, rows }: Tokens.Table, depth: number): ElementNode {
  const cell = (tag: 'th' | 'td', { tokens, align }: Tokens.TableCell) => {
    const place = align === 'center' || align === 'right' ? { class: alignment[align] } : {};
    const scope = tag === 'th' ? { scope: 'col' } : {};
    return element(tag, inlineNodes(tokens, depth + 1), { dir: 'auto', ...scope, ...place });
  };
  const head = element(
    'tr',
    header.map((one) => cell('th', one)),
  );
  const body = rows.map((row) =>
    element(
      'tr',
      row.map((one) => cell('td', one)),
    ),
  );
  return element('table', [element('thead', [head]), element('tbody', body)]);
}

function inlineNodes(tokens: readonly Token[], depth: number): TreeNode[] {
  if (depth > maxDepth) return [tokens.map(({ raw }) => raw).join('')];
  return joined(tokens.flatMap((token) => inline(token, depth)));
}

function inline(token: Token, depth: number): TreeNode | TreeNode[] {
  switch (token.type) {
    case 'text': {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inlineNodes(tokens, depth + 1) : decodeEntities(text);
    }
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'strong':
    case 'em':
    case 'del':
      return element(token.type, inlineNodes((token as Tokens.Strong).tokens, depth + 1));
    case 'codespan':
      return element('code', [(token as Tokens.Codespan).text], { dir: 'ltr' });
    case 'br':
      return element('br');
    case 'html':
      // The one piece of HTML that models write inside tables, where Markdown has no word for it.
      return /^<br\s*\/?>$/i.test(token.raw) ? element('br') : token.raw;
    case 'image': {
      const { text, href } = token as Tokens.Image;
      return { kind: 'word', word: 'image', text: decodeEntities(text) || href };
    }
    case 'link': {
      const { href, tokens } = token as Tokens.Link;
      const children = inlineNodes(tokens, depth + 1);
      const target = safeTarget(href);
      if (target === null) return children;
      return element('a', children, {
        href: target,
        title: target,
        target: '_blank',
        rel: 'noopener noreferrer',
      });
    }
    default:
      return token.raw;
  }
}

const schemes = new Set(['http:', 'https:', 'mailto:']);

/** An absolute address of a scheme that is safe to follow, as browsers will read it; null for anything else. */
export function safeTarget(href: string): string | null {
  try {
    const url = new URL(decodeEntities(href));
    return schemes.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function sameNode(a: TreeNode, b: TreeNode): boolean {
  // What is frozen is the same object from frame to frame.
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  if (a.kind === 'element' && b.kind === 'element') {
    return (
      a.tag === b.tag &&
      sameAttributes(a.attributes, b.attributes) &&
      a.children.length === b.children.length &&
      a.children.every((child, index) => sameNode(child, b.children[index]!))
    );
  }
  if (a.kind === 'code' && b.kind === 'code') return a.language === b.language && a.text === b.text;
  return a.kind === 'word' && b.kind === 'word' && a.word === b.word && a.text === b.text;
}

export function sameAttributes(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
