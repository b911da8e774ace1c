/**
 * A deed of the reader: whether it is under way, and what went wrong.
 *
 * @module web/base/deed
 */
import { type Accessor, createSignal } from 'solid-js';
import { type Fault, faultIn } from '../data/node-error.ts';

export interface Deed {
  readonly busy: Accessor<boolean>;
  readonly fault: Accessor<Fault | null>;
  /** True when it was done. Does nothing while another is under way. */
  run(work: () => Promise<unknown>): Promise<boolean>;
}

export function createDeed(): Deed {
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<Fault | null>(null);
  return {
    busy,
    fault,
    async run(work) {
      if (busy()) return false;
      setBusy(true);
      setFault(null);
      try {
        await work();
        return true;
      } catch (error) {
        setFault(faultIn(error));
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
