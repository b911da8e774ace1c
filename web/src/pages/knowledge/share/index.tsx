/**
 * A knowledge base and others: who may search it, and how it is taken along.
 *
 * @module web/pages/knowledge/share
 */
import type { Kb } from '../kb-state.ts';
import { Copies } from './copies.tsx';
import { Given } from './given.tsx';
import './share.css';

export default function Share(props: { readonly kb: Kb }) {
  return (
    <>
      <Given kb={props.kb.name} />
      <Copies kb={props.kb} />
    </>
  );
}
