/**
 * Messages that a chat template leaves out without a word: most templates know system, user and assistant, and skip
 * what has another role. The model would then answer as if a tool's result had never been sent.
 *
 * @module engine/text/left-out
 */

import { InputError } from '../../base/index.ts';
import type { ChatMessage } from '../types.ts';

/** Every template does something with these, or refuses them itself. */
const COMMON = new Set(['system', 'developer', 'user', 'assistant']);
const WORD = /[A-Za-z0-9]+/g;
const MOST_WORDS = 64;
const MOST_CHARACTERS = 64;

/**
 * True if nothing of `content` stands in `rendered`. Templates trim, cut and escape, so one whole word of it is enough,
 * or its longest inside another (`\\n42`); a word that another message has too hides what is missing, and nothing is
 * refused that should not be.
 */
function isMissing(content: string, rendered: string): boolean {
  const words = content.match(WORD)?.slice(0, MOST_WORDS) ?? [];
  if (words.length > 0) {
    const longest = words.reduce((a, b) => (b.length > a.length ? b : a));
    if (rendered.includes(longest)) return false;
    const there = new Set(rendered.match(WORD));
    return !words.some((word) => there.has(word));
  }
  // Characters beyond ASCII may have been escaped: only what shows neither way is missing.
  const characters = [...new Set(content.trim().slice(0, MOST_CHARACTERS))];
  const shown =
    characters.some((character) => rendered.includes(character)) || /\\u[0-9a-f]{4}/i.test(rendered);
  return characters.length > 0 && !shown;
}

/** @throws InputError `role_unsupported` naming the role and the message. */
export function refuseLeftOut(messages: readonly ChatMessage[], rendered: string): void {
  for (const [index, { role, content }] of messages.entries()) {
    if (content === null || COMMON.has(role) || !isMissing(content, rendered)) continue;
    throw new InputError(
      'role_unsupported',
      `The model's chat template leaves out messages of the role '${role.slice(0, 64)}', so the model would not see messages[${index}]. Send its content as a user message.`,
      { param: `messages[${index}].role`, details: { role: role.slice(0, 64) } },
    );
  }
}
