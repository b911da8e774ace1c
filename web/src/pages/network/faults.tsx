/**
 * What went wrong with the last look at the swarm: instead of a page, or above one that shows what was known before.
 *
 * @module web/pages/network/faults
 */
import { Show } from 'solid-js';
import { ErrorNote } from '../../base/error-note.tsx';
import type { Fault } from '../../data/node-error.ts';
import { t } from '../../i18n/index.ts';
import { network } from './swarm.ts';

export function NotShown(props: { readonly fault: Fault }) {
  return (
    <>
      <h1 class="lede">{t('network.notShown')}</h1>
      <FaultNote fault={props.fault} />
    </>
  );
}

/** Nothing while all is well. */
export function LookFault() {
  return <Show when={network.fault}>{(fault) => <FaultNote fault={fault()} />}</Show>;
}

export function FaultNote(props: { readonly fault: Fault }) {
  return (
    <div class="page-note">
      <ErrorNote fault={props.fault} />
    </div>
  );
}
