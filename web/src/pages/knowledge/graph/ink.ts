/**
 * The page's colours as a canvas takes them: tokens of the style sheet, worked out for the theme that is on.
 *
 * @module web/pages/knowledge/graph/ink
 */
import { KINDS } from './atlas.ts';
import { TINTS } from './regions.ts';

export interface Ink {
  readonly bg: string;
  readonly raised: string;
  readonly line: string;
  readonly edge: string;
  readonly ink: string;
  readonly soft: string;
  readonly faint: string;
  readonly accent: string;
  readonly lands: readonly string[];
  readonly shores: readonly string[];
  readonly names: readonly string[];
  readonly dots: readonly string[];
  /** Of `KINDS`. */
  readonly kinds: readonly string[];
  readonly family: string;
}

/** @param inside an element under the map's own tokens */
export function inkOf(inside: HTMLElement): Ink {
  const probe = document.createElement('i');
  probe.hidden = true;
  inside.append(probe);
  // A custom property gives its words as they were written; a colour gives what they mean now.
  const read = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const tints = (token: string) => Array.from({ length: TINTS }, (_, i) => read(`graph-${token}-${i}`));
  try {
    return {
      bg: read('bg'),
      raised: read('raised'),
      line: read('line'),
      edge: read('edge'),
      ink: read('ink'),
      soft: read('ink-2'),
      faint: read('ink-3'),
      accent: read('ember-ink'),
      lands: tints('land'),
      shores: tints('shore'),
      names: tints('name'),
      dots: tints('dot'),
      kinds: KINDS.map((kind) => read(`graph-${kind.toLowerCase()}`)),
      family: getComputedStyle(inside).fontFamily,
    };
  } finally {
    probe.remove();
  }
}
