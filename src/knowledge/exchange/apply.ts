/**
 * One edit of a note, written into the knowledge base.
 *
 * @module knowledge/exchange/apply
 */
import { normalForm } from '../graph/normal.ts';
import { type KnowledgeStore, type NewAssertion, relationOf } from '../store/index.ts';
import type { Edit } from './types.ts';
import type { NotesView } from './view.ts';

export interface ApplyParts {
  readonly store: Pick<KnowledgeStore, 'assert' | 'assertionsOf' | 'merge' | 'merges' | 'undoMerge'>;
  readonly view: NotesView;
  /** All that the note gives. */
  readonly aliases: readonly string[];
  readonly run: number;
  /** ms since 1970. */
  readonly at: number;
}

const REASON = 'changed in an exported note';

/** @throws InputError `assertion_invalid`, `merge_invalid`; LimitError `knowledge.*` */
export function applyEdits(edit: Edit, { store, view, aliases, run, at }: ApplyParts): void {
  const { key } = edit;
  const said = (more: Pick<NewAssertion, 'property'> & Partial<NewAssertion>): NewAssertion => ({
    ...{ subject: key, by: 'owner', reason: REASON, run, made: at },
    ...more,
  });
  /** What holds of it until now, and is to hold no more. */
  const denied = (property: string, except: string | null): NewAssertion[] => {
    const known = store.assertionsOf(view.formsOf(key)).filter((each) => each.property === property);
    const values = new Set(known.flatMap(({ value, denies }) => (value === null || denies ? [] : [value])));
    return [...values]
      .filter((value) => value !== except)
      .map((value) => said({ property, value, denies: true }));
  };
  const undoMerges = (alias: string): void => {
    for (const merge of store.merges())
      if (merge.undone === null && merge.alias === alias) store.undoMerge(merge.id, at);
  };
  const mergeInto = (alias: string, entity: string): void => {
    undoMerges(alias);
    store.merge({ alias, entity, reason: REASON, made: at, run });
  };
  switch (edit.kind) {
    case 'name':
      store.assert([...denied('name', edit.to), said({ property: 'name', value: edit.to })]);
      return;
    case 'type':
    case 'summary': {
      const value = edit.to ?? null;
      if (value !== null) store.assert([said({ property: edit.kind, value })]);
      else {
        const ruled =
          edit.kind === 'type' && edit.from !== null
            ? [said({ property: 'type', value: edit.from, denies: true })]
            : [];
        store.assert([...ruled, ...denied(edit.kind, null)]);
      }
      return;
    }
    case 'alias': {
      const { alias, holds } = edit;
      const form = normalForm(alias);
      store.assert([said({ property: 'alias', value: alias, denies: !holds })]);
      if (form === '' || form === key) return;
      if (holds) {
        if (view.has(form) && view.standsFor(form) !== view.standsFor(key))
          mergeInto(form, view.standsFor(key));
      } else if (!aliases.some((other) => normalForm(other) === form)) undoMerges(form);
      return;
    }
    case 'relation': {
      const { property, target, value } = edit.relation;
      const denies = !edit.holds;
      store.assert([
        target !== null
          ? said({ property: 'relation', ...relationSaid(property), object: target, denies })
          : said({ property, value: value ?? '', denies }),
      ]);
      return;
    }
    case 'merge':
      mergeInto(key, edit.into);
      return;
    case 'part':
      undoMerges(key);
      return;
  }
}

/** A word that Kith has no relation for is kept beside the one that it counts as. */
function relationSaid(word: string): Pick<NewAssertion, 'relation' | 'value'> {
  const relation = relationOf(word);
  return relation === 'relatedTo' && word !== relation ? { relation, value: word } : { relation };
}
