/**
 * Looks for a value in captured bytes, however it could be written there.
 *
 * @module test/gateway-privacy/leaks
 */

/** A captured stream, prepared to be searched. */
export class Haystack {
  readonly #texts: string[];
  readonly #digits: string;

  constructor(bytes: Buffer) {
    const raw = bytes.toString('utf8');
    const unescaped = raw.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    // JSON within JSON is escaped twice.
    const plain = unescaped.replace(/\\+(["\\/])/g, '$1').replace(/\\+[nrt]/g, ' ');
    this.#texts = [raw, plain, squeezed(plain), squeezed(decodedPercents(plain))];
    // Numbers that follow each other must not become one.
    this.#digits = plain.replace(/[^\d]{3,}/g, '|').replace(/[^\d|]/g, '');
  }

  has(value: string): boolean {
    return this.formsOf(value).length > 0;
  }

  /** How the value stands there. */
  formsOf(value: string): string[] {
    const forms: [string, string][] = [
      ['plain', value],
      ['JSON', JSON.stringify(value).slice(1, -1)],
      ['percent', encodeURIComponent(value)],
      ['squeezed', squeezed(value)],
      ...base64s(value).map((text): [string, string] => ['base64', text]),
    ];
    const found = forms.filter(([, text]) => text !== '' && this.#texts.some((each) => each.includes(text)));
    const digits = value.replace(/\D/g, '');
    if (digits.length >= 9 && this.#digits.includes(digits)) found.push(['digits', digits]);
    return found.map(([form]) => form);
  }
}

/** Lower case, look-alikes made plain, without spaces and invisible characters. */
function squeezed(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\u00ad\u200b-\u200f\u2060-\u206f\ufeff]+/g, '');
}

function decodedPercents(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}

/** What base64 makes of the value wherever it stands in a text: three ways, without what neighbours change. */
function base64s(value: string): string[] {
  const bytes = Buffer.from(value);
  if (bytes.length < 6) return [];
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const inner = text.slice(offset === 0 ? 0 : offset + 1, -1);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
