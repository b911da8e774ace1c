/**
 * The explanation of a choice, with the choice between the local and the frontier side before it.
 *
 * @module gateway/steps/explain
 */
import type { Explanation, Verdict } from '../policy/index.ts';
import type { Weighing } from '../router/index.ts';

/** How the side that comes first would be found. */
export interface SideExplanation extends Omit<Weighing, 'side'> {
  /** Null: by lot, with `target` as the chance of the frontier side. */
  readonly side: 'local' | 'frontier' | null;
  readonly why: string;
}

export interface Explained extends Explanation {
  /** Null where there is no such choice. */
  readonly complexity: SideExplanation | null;
}

export function sideExplanation(weighing: Weighing): SideExplanation {
  const { by, score, threshold, target, side } = weighing;
  const percent = `${Math.round(target * 100)} %`;
  const why =
    by === 'forced'
      ? 'the request, or what its conversation has had, says frontier'
      : by === 'lot'
        ? side !== null
          ? `its target or the bounds of its threshold send all to the ${side} side`
          : `by lot: ${percent} of such requests go to the frontier side first, as nothing has proved better yet`
        : `score ${score!.toFixed(3)} is ${side === 'frontier' ? 'above' : 'not above'} the threshold ${threshold.toFixed(3)}`;
  return { ...weighing, why };
}

/** The ranks as they come out when one side goes first; of a lot, the likelier one. */
export function inSides(
  told: Explanation,
  complexity: SideExplanation,
  isLocal: (backend: string) => boolean,
): Explained {
  const first = complexity.side ?? (complexity.target > 0.5 ? 'frontier' : 'local');
  const leads = ({ backend }: Verdict) => isLocal(backend) === (first === 'local');
  const asked = told.candidates.filter(({ rank }) => rank !== null);
  const ranked = [...asked.filter(leads), ...asked.filter((one) => !leads(one))];
  const moved = ranked.map((one, rank) =>
    one.rank === rank ? one : { ...one, rank, why: `the ${first} side comes first: ${complexity.why}` },
  );
  const best = moved[0];
  return {
    ...told,
    chosen: best === undefined ? null : { backend: best.backend, model: best.model },
    candidates: [...moved, ...told.candidates.filter(({ rank }) => rank === null)],
    complexity,
  };
}
