/**
 * Figures of the vault: of the space that this node lends, and of what it asks Eves.
 *
 * @module server/metrics/vault-figures
 */
import type { Exposition } from './exposition.ts';
import { families } from './families.ts';

export interface VaultFigures {
  /** Null: this node lends no space. */
  readonly lent: {
    /** Null: it is not known now. */
    readonly account: {
      readonly capacityBytes: number;
      readonly promisedBytes: number;
      readonly usedBytes: number;
      readonly tenants: number;
    } | null;
    readonly waiting: number;
    readonly answered: number;
    /** By error code. */
    readonly refusals: Readonly<Record<string, number>>;
    readonly bytesIn: number;
    readonly bytesOut: number;
  } | null;
  readonly asked: {
    /** By what was asked, and what became of it. */
    readonly calls: readonly { readonly op: string; readonly outcome: string; readonly count: number }[];
    /** By kind. */
    readonly faults: Readonly<Record<string, number>>;
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
}

/** @param figures null: nothing is known, as before the node has started */
export function writeVault(out: Exposition, figures: VaultFigures | null): void {
  const lent = figures?.lent ?? null;
  const account = lent?.account ?? null;
  out.family(families.storageCapacity).sample(account?.capacityBytes ?? null);
  out.family(families.storagePromised).sample(account?.promisedBytes ?? null);
  out.family(families.storageUsed).sample(account?.usedBytes ?? null);
  out.family(families.storageTenants).sample(account?.tenants ?? null);
  out.family(families.storageWaiting).sample(lent?.waiting ?? null);
  out.family(families.storageAnswered).sample(lent?.answered ?? null);
  out.family(families.storageRefused);
  for (const [code, count] of Object.entries(lent?.refusals ?? {})) out.sample(count, { code });
  out
    .family(families.storageBytes)
    .sample(lent?.bytesIn ?? null, { direction: 'in' })
    .sample(lent?.bytesOut ?? null, { direction: 'out' });
  out.family(families.vaultCalls);
  for (const { op, outcome, count } of figures?.asked.calls ?? []) out.sample(count, { op, outcome });
  out.family(families.vaultFaults);
  for (const [fault, count] of Object.entries(figures?.asked.faults ?? {})) out.sample(count, { fault });
  out
    .family(families.vaultBytes)
    .sample(figures?.asked.bytesIn ?? null, { direction: 'in' })
    .sample(figures?.asked.bytesOut ?? null, { direction: 'out' });
}
