/**
 * What was done beside a search, in the document.
 *
 * @module server/openapi/rag-steps
 */
import {
  array,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  type Schema,
  string,
} from './schema.ts';

/** Who was asked to write, and where that is. */
export const asker: Readonly<Record<string, Schema>> = {
  backend: string,
  model: string,
  where: described('Where it was computed.', nullable(choice('this_machine', 'owned', 'peer', 'provider'))),
  link: described('How it got there.', nullable(choice('encrypted', 'owned_network', 'open'))),
  privacy: described('Privacy level that held.', nullable(string)),
  replaced: described(
    'Personal data that was replaced before it left; null when nothing had to be.',
    nullable(array(object({ class: string, count }))),
  ),
  others: described(
    'Backends that were sent the same, and whose answer does not count: they failed, or another was faster.',
    array(string),
  ),
  promptTokens: described('Null: unknown.', nullable(count)),
  completionTokens: nullable(count),
  cost: described("In the unit of the owner's prices; null: unknown.", nullable(number)),
};

export const steps = described(
  'What was done beside searching, or left out; the search is then as if it had not been asked for.',
  array(
    object({
      name: described('`hyde`, `multi-query`, `listwise`, `cross-encoder`, `engine`.', string),
      status: choice('used', 'skipped'),
      code: described(
        'Null when it was used. `late`: its time was over; `unreadable`: what came was of no use; `useless`: it can change nothing in this search; `nobody`: no model for it is here.',
        nullable(choice('late', 'failed', 'unreadable', 'useless', 'nobody')),
      ),
      reason: described('The same for people.', nullable(string)),
      ms: milliseconds,
      model: described('Null: none was asked, or it is not known.', nullable(string)),
      writer: described(
        'Who was sent the question (and, to put them in order, passages); null where no writer was asked.',
        nullable(object(asker)),
      ),
    }),
  ),
);
