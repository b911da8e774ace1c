/**
 * The score from which a prompt goes to the frontier model, moved after each choice so that the share of prompts that
 * go there keeps to a target: up a little after each that went, down a little after each that did not.
 *
 * @module gateway/router/threshold
 */

/** What each choice moves the threshold by, in scores (0 to 1). */
export const THRESHOLD_STEP = 0.01;

export interface ThresholdSettings {
  /** Share of prompts that shall go to the frontier model, 0 to 1. */
  readonly target: number;
  /** Bounds of the threshold. Where they hold it back, the target may be missed: the owner's bounds go first. */
  readonly min: number;
  readonly max: number;
}

export interface ThresholdState extends ThresholdSettings {
  /** A prompt goes to the frontier model when its score is above. */
  readonly threshold: number;
  /** Choices made with it, and those for the frontier model. */
  readonly decided: number;
  readonly frontier: number;
}

const within = (value: number, { min, max }: ThresholdSettings): number =>
  Math.min(max, Math.max(min, value));

/** Scores are ranks, so the share above `1 - target` is the target from the start. */
export function startThreshold(settings: ThresholdSettings): ThresholdState {
  return { ...settings, threshold: within(1 - settings.target, settings), decided: 0, frontier: 0 };
}

/**
 * The side that all prompts go to; null where it depends on the prompt. Ranks reach 0 and 1, so the ends need words of
 * their own.
 */
export function onlySide({ target, min, max }: ThresholdSettings): 'local' | 'frontier' | null {
  if (target === 0 || min === 1) return 'local';
  return target === 1 || max === 0 ? 'frontier' : null;
}

/**
 * Changes settings or the threshold itself. A new target starts at its own quantile, and a threshold given alone brings
 * the target that it is the quantile of: else the choices would move it back, and lots would not know of it.
 */
export function changeThreshold(
  state: ThresholdState,
  changes: Partial<ThresholdSettings & { threshold: number }>,
): ThresholdState {
  const { threshold: given } = changes;
  const target = changes.target ?? (given === undefined ? state.target : Math.round((1 - given) * 1e6) / 1e6);
  const next = { ...state, ...changes, target };
  const threshold =
    given ??
    (changes.target === undefined || changes.target === state.target ? state.threshold : 1 - next.target);
  return { ...next, threshold: within(threshold, next) };
}

/** After a choice: thr += 0.01 x (routed - target). */
export function track(state: ThresholdState, routed: boolean): ThresholdState {
  const moved = state.threshold + THRESHOLD_STEP * ((routed ? 1 : 0) - state.target);
  return {
    ...state,
    threshold: within(moved, state),
    decided: state.decided + 1,
    frontier: state.frontier + (routed ? 1 : 0),
  };
}
