/**
 * Text of a model, shown as it grows. The DOM below is the renderer's own: Solid only hands over the text.
 *
 * @module web/chat/stream-text
 */
import { createEffect, createSignal, on } from 'solid-js';
import { t } from '../i18n/index.ts';
import type { BlockStream, Labels, TreeNode } from './markdown/index.ts';

type Renderer = typeof import('./markdown/index.ts');

const [renderer, setRenderer] = createSignal<Renderer | null>(null);
let loading: Promise<void> | null = null;

/** Fetches the renderer once; again when that failed. */
export function loadRenderer(): Promise<void> {
  loading ??= import('./markdown/index.ts').then(
    (loaded) => {
      setRenderer(() => loaded);
    },
    () => {
      loading = null;
    },
  );
  return loading;
}

const labels: Labels = {
  copy: () => t('app.copy'),
  copied: () => t('app.copied'),
  code: (language) => (language === '' ? t('turn.code') : t('turn.codeIn', { language })),
  table: () => t('turn.table'),
  word: ({ word, text }) => {
    if (word === 'image') return `[${t('turn.image', { what: text })}]`;
    return word === 'done' ? '☑' : '☐';
  },
};

export function StreamText(props: { readonly text: string; readonly growing: boolean }) {
  let root!: HTMLDivElement;
  let shown: readonly TreeNode[] = [];
  let stream: BlockStream | null = null;
  let taken = '';
  /** Nodes at the start whose code has its colours. */
  let coloured = 0;
  void loadRenderer();

  createEffect(
    on([() => props.text, () => props.growing, renderer], ([text, growing, ready]) => {
      if (!ready) return;
      const show = (nodes: readonly TreeNode[], settled: number) => {
        ready.patch(root, shown, nodes, labels);
        shown = nodes;
        ready.colourCode(root, nodes, Math.min(coloured, settled), settled);
        coloured = settled;
      };
      if (!growing) {
        const nodes = ready.parseMarkdown(text);
        coloured = 0;
        show(nodes, nodes.length);
        stream = null;
        taken = '';
        return;
      }
      if (!stream || !text.startsWith(taken)) {
        stream = ready.createBlockStream();
        taken = '';
      }
      const { nodes, frozen } = stream.add(text.slice(taken.length));
      taken = text;
      show(nodes, frozen);
    }),
  );

  return <div class="prose" ref={root} dir="auto" />;
}
