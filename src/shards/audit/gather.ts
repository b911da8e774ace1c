/**
 * Gathers one hop's claim about a sequence: what it received and what it sent on, as it shows and as its neighbours say.
 *
 * @module shards/audit/gather
 */
import { isKithError } from '../../base/index.ts';
import type { BlockSpan } from '../types.ts';
import { type Shown, shownAtOnce, type Written } from '../wire/audit.ts';
import type { Claim } from './claim.ts';
import { asReceived } from './links.ts';
import type { Strand, Trail } from './trail.ts';
import type { AuditedPath } from './types.ts';

interface Gathered {
  readonly span: BlockSpan;
  /** Rows that are compared, or would be. */
  readonly rows: number;
  /** Neighbours that say different things of what went from one to the other. */
  readonly links: readonly (readonly [string, string])[];
}

export type Found =
  | ({
      readonly kind: 'claim';
      readonly claim: Claim;
      /** The steps that the rows of `Claim.output` are of. */
      readonly steps: readonly number[];
    } & Gathered)
  /** It says that it received what this node did not send. */
  | ({ readonly kind: 'denied'; readonly why: string } & Gathered)
  /** It, or the one before it, must have these rows and does not show them. */
  | ({ readonly kind: 'withheld' } & Gathered)
  /** There is nothing to judge: the rows were written over, or the link before it is disputed. */
  | ({ readonly kind: 'nothing' } & Gathered);

/**
 * @param joined last step before a shard took its place or was sent rows anew: what it has of that and those before came in other
 *   passes, or as KV rows, and what went from its place then was not its own
 * @throws KithError when a shard cannot be asked at all
 */
export async function claimOf(
  path: AuditedPath,
  trail: Trail,
  strand: Strand,
  peer: string,
  joined: (peer: string) => number,
): Promise<Found> {
  const shards = path.shards();
  const k = shards.findIndex((one) => one.peer === peer);
  const { from, to } = shards[k] ?? path.span;
  const all: Gathered = { span: { from, to }, rows: strand.cells.length, links: [] };
  if (k < 0) return { kind: 'nothing', ...all };
  const isLast = k === shards.length - 1;
  const { width } = trail;
  const ask = (place: number, rows: boolean) => askAll(path, shards[place]!.peer, strand, rows, width);
  const [shown, before, behind] = await Promise.all([
    ask(k, !isLast),
    k === 0 ? null : ask(k - 1, true),
    isLast ? null : ask(k + 1, false).catch(() => null),
  ]);
  const given = trail.inputs(strand);
  // Somebody wrote there meanwhile, or the path changed: nobody is to blame.
  const changed = path.shards().some((one, i) => one.peer !== shards[i]?.peer);
  if (changed || !trail.isLive(strand) || given === null) return { kind: 'nothing', ...all };
  const isNewAt = (place: number) => strand.steps.some((n) => n <= joined(shards[place]!.peer));
  const isNew = isNewAt(k);
  if (!shown.has && isNew) return { kind: 'nothing', ...all };
  if (!shown.has) return { kind: 'withheld', ...all };
  if (before !== null && !before.has) return { kind: 'nothing', ...all };
  const input = asReceived(before?.went ?? given, shown.came, width);
  if (input === null) {
    const why = 'it says that it received other rows than this node sent';
    if (k === 0) return { kind: 'denied', why, ...all };
    // What came of the one that stood there before can differ in the last bits.
    return { kind: 'nothing', ...all, links: isNewAt(k - 1) ? [] : [[shards[k - 1]!.peer, peer]] };
  }
  const disputed = !isNew && behind?.has === true && asReceived(shown.went, behind.came, width) === null;
  const links = disputed ? ([[peer, shards[k + 1]!.peer]] as const) : [];
  const { rows: output, at } = isLast
    ? trail.outputs(strand, joined(peer))
    : { rows: shown.went, at: [...strand.cells.keys()] };
  if (at.length === 0) return { kind: 'nothing', ...all, links };
  const claim: Claim = { pieces: strand.pieces, input, output, at, build: isNew ? '' : shown.build };
  // Of the last shard only the rows that were wanted are known.
  return { kind: 'claim', claim, steps: at.map((i) => strand.steps[i]!), ...all, rows: at.length, links };
}

/** In as many messages as it takes. */
async function askAll(
  path: AuditedPath,
  peer: string,
  { cells, steps }: Written,
  rows: boolean,
  width: number,
): Promise<Shown> {
  const most = shownAtOnce(width);
  const came: Uint8Array[] = [];
  const went = new Float32Array(rows ? cells.length * width : 0);
  let build = '';
  for (let at = 0; at < cells.length; at += most) {
    const part = { cells: cells.subarray(at, at + most), steps: steps.subarray(at, at + most) };
    const shown = await path.show(peer, part, rows).catch((error: unknown) => {
      // What does not follow the protocol shows nothing; that a shard cannot be reached is not for audits to judge.
      if (isKithError(error) && error.code === 'shard_malformed') return null;
      throw error;
    });
    if (shown === null || !shown.has)
      return { build: '', has: false, came: new Uint8Array(0), went: new Float32Array(0) };
    build = shown.build;
    came.push(shown.came);
    if (rows) went.set(shown.went, at * width);
  }
  return { build, has: true, came: new Uint8Array(Buffer.concat(came)), went };
}
