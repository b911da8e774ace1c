/**
 * Whether an answer that should be JSON is: other servers may take the wish for it and answer otherwise.
 *
 * @module gateway/steps/form
 */
import type { ChatRequest } from '../types.ts';

/** Characters of all choices together; longer answers are not looked at. */
const maxCharacters = 262_144;

export interface FormCheck {
  take(choice: number, text: string): void;
  /** A choice ended at its limit of tokens: its text is not whole. */
  cut(): void;
  /** A sentence for the receipt; null when there is nothing to say. */
  note(): string | null;
}

/** Null for a request that asks for no JSON. Whether it fits the schema is not looked at. */
export function formCheck({ grammar }: Pick<ChatRequest, 'grammar'>): FormCheck | null {
  if (grammar?.kind !== 'json_schema' && grammar?.kind !== 'json_object') return null;
  const texts: string[] = [];
  let characters = 0;
  let isCut = false;
  return {
    cut() {
      isCut = true;
    },
    take(choice, text) {
      characters += text.length;
      if (characters <= maxCharacters) texts[choice] = (texts[choice] ?? '') + text;
    },
    note() {
      if (isCut || characters > maxCharacters || texts.every(isJson)) return null;
      return 'The backend did not hold the answer to the form that was asked for: it is not JSON.';
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
