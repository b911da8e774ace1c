/**
 * What the page and the thread that lays the map out say to each other.
 *
 * @module web/pages/knowledge/graph/messages
 */
import type { LayoutProblem } from './layout.ts';
import type { Region } from './regions.ts';

export type LayoutOrder = LayoutProblem;

export interface LayoutNews {
  /** Middles of what each name takes with its mark. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly community: Uint32Array;
  readonly sizes: Uint32Array;
  readonly regions: readonly Region[];
  readonly settled: boolean;
  /** ms since the order came. */
  readonly after: number;
}
