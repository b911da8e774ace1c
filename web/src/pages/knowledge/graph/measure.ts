/**
 * Widths of texts in the page's typeface.
 *
 * @module web/pages/knowledge/graph/measure
 */
interface Style {
  readonly size: number;
  readonly weight: number;
}

/** @param family as a style sheet writes it @returns px of a text in one of the styles */
export function measureIn(family: string, styles: readonly Style[]): (text: string, style: number) => number {
  const pen = document.createElement('canvas').getContext('2d')!;
  let now = -1;
  return (text, style) => {
    // Setting a font costs as much as measuring.
    if (style !== now) {
      const { weight, size } = styles[style]!;
      pen.font = `${weight} ${size}px ${family}`;
      now = style;
    }
    return pen.measureText(text).width;
  };
}

/** Fetches what of the typeface the texts need: widths of another one would be another map. */
export async function loadFor(
  family: string,
  styles: readonly Style[],
  texts: readonly string[],
): Promise<void> {
  const letters = [...new Set(texts.join(''))].join('');
  const loads = styles.map(({ weight, size }) =>
    document.fonts.load(`${weight} ${size}px ${family}`, letters),
  );
  // Without it the next of the family is drawn and measured alike.
  await Promise.allSettled(loads);
}
