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

/** Changes settings or the threshold itself. A new target starts at its own quantile. */
export function changeThreshold(
  state: ThresholdState,
  changes: Partial<ThresholdSettings & { threshold: number }>,
): ThresholdState {
  const next = { ...state, ...changes };
  const threshold =
    changes.threshold ??
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
