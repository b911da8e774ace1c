/**
 * What a check of `kith doctor` finds.
 *
 * @module cli/checks/finding
 */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do; null when there is nothing to do. */
  readonly remedy: string | null;
}

export type Verdict = Omit<Finding, 'name'>;

export const ok = (message: string): Verdict => ({ status: 'ok', message, remedy: null });
export const warn = (message: string, remedy: string): Verdict => ({ status: 'warn', message, remedy });
export const fail = (message: string, remedy: string): Verdict => ({ status: 'fail', message, remedy });

/** Makes one check; one that throws is a finding itself. */
export type Check = (name: string, look: () => Promise<Verdict> | Verdict, remedy: string) => Promise<void>;
