/**
 * Colours of code, fetched with the first block that needs them.
 *
 * @module web/chat/markdown/colour
 */
/** Longer code keeps one colour: finding its words would hold up the page. */
const maxChars = 20_000;

interface Hast {
  readonly type: string;
  readonly value?: string;
  readonly properties?: { readonly className?: unknown };
  readonly children?: readonly Hast[];
}

/** The coloured text; null when the language is not known or nothing is to be coloured. */
export async function colour(language: string, text: string): Promise<DocumentFragment | null> {
  if (language === '' || text.length > maxChars) return null;
  try {
    const { grammar } = await import('./grammars.ts');
    if (!grammar.registered(language)) return null;
    const fragment = document.createDocumentFragment();
    fill(fragment, grammar.highlight(language, text).children as readonly Hast[]);
    return fragment;
  } catch {
    // The chunk did not come: plain code is code.
    return null;
  }
}

function fill(parent: Node, children: readonly Hast[]): void {
  for (const child of children) {
    if (child.type === 'text') parent.appendChild(document.createTextNode(child.value ?? ''));
    else if (child.type === 'element') {
      const span = document.createElement('span');
      const names = child.properties?.className;
      if (Array.isArray(names)) span.className = names.join(' ');
      fill(span, child.children ?? []);
      parent.appendChild(span);
    }
  }
}
