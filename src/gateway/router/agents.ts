/**
 * A threshold per agent, since agents ask different things: each keeps to its own share of frontier calls.
 *
 * @module gateway/router/agents
 */
import { type Clock, InputError, LimitError } from '../../base/index.ts';
import type { RouterStore, ThresholdStep } from './store.ts';
import {
  changeThreshold,
  startThreshold,
  type ThresholdSettings,
  type ThresholdState,
  track,
} from './threshold.ts';

/** Whose threshold counts when no agent is named, or when there are too many. */
export const DEFAULT_AGENT = 'default';
export const MAX_AGENTS = 256;
const MAX_NAME_LENGTH = 64;
/** How far a threshold moves by itself before that is written: it wavers by about half of this when all is calm. */
const WRITE_STEP = 0.05;

export type ThresholdChanges = Partial<ThresholdSettings & { readonly threshold: number }>;

export interface Agents {
  /** The agent's state, or what it would start with. */
  get(agent?: string): ThresholdState;
  list(): readonly (ThresholdState & { readonly agent: string })[];
  /**
   * Changes what is given; the rest stays, but for the target of a threshold that is given without one: see
   * `changeThreshold`. From then on the agent's settings are its own, whatever the router's become.
   *
   * @throws InputError `threshold_invalid`, `agent_invalid`; LimitError over 256 agents
   */
  set(agent: string, changes: ThresholdChanges): ThresholdState;
  /** Steps of the threshold, oldest first: each change by hand, and each twentieth that it moved by itself. */
  history(agent: string): ThresholdStep[];
}

export interface TrackedAgents extends Agents {
  /** Counts a choice made by score or lot. */
  track(agent: string, routed: boolean): void;
  /** Writes what is not yet written. */
  flush(): void;
}

export function createAgents(store: RouterStore, clock: Clock, settings: ThresholdSettings): TrackedAgents {
  check(settings);
  const byHand = store.setByHand();
  // What the owner configured holds for all that nobody changed by hand.
  const states = new Map(
    [...store.thresholds()].map(([agent, state]) => [
      agent,
      byHand.has(agent) ? state : changeThreshold(state, settings),
    ]),
  );
  /** Thresholds as last written: a write per request would cost more than the choice does. */
  const written = new Map([...states].map(([agent, { threshold }]) => [agent, threshold]));

  function known(agent: string): string {
    return states.has(agent) || (isName(agent) && states.size < MAX_AGENTS) ? agent : DEFAULT_AGENT;
  }
  const stateOf = (agent: string): ThresholdState => states.get(agent) ?? startThreshold(settings);

  function keep(agent: string, state: ThresholdState, reason: ThresholdStep['reason'] | null): void {
    states.set(agent, state);
    written.set(agent, state.threshold);
    store.writeThreshold(agent, state, clock.now(), reason);
  }

  return {
    get: (agent = DEFAULT_AGENT) => stateOf(known(agent)),
    list: () => [...states].map(([agent, state]) => ({ agent, ...state })),
    set(agent, changes) {
      if (!isName(agent))
        throw new InputError(
          'agent_invalid',
          `"${agent.slice(0, MAX_NAME_LENGTH)}" is no name of an agent: use 1 to ${MAX_NAME_LENGTH} characters.`,
          { param: 'agent' },
        );
      if (!states.has(agent) && states.size >= MAX_AGENTS)
        throw new LimitError(
          'router.agents',
          MAX_AGENTS,
          `${MAX_AGENTS} agents have a threshold of their own already.`,
        );
      const state = stateOf(agent);
      check({ ...state, ...changes });
      const next = changeThreshold(state, changes);
      keep(agent, next, 'set');
      return next;
    },
    history: (agent) => store.history(agent),
    track(name, routed) {
      const agent = known(name);
      const state = track(stateOf(agent), routed);
      const before = written.get(agent);
      if (before === undefined || Math.abs(state.threshold - before) >= WRITE_STEP)
        keep(agent, state, 'tracked');
      else states.set(agent, state);
    },
    flush() {
      for (const [agent, state] of states) store.writeThreshold(agent, state, clock.now(), null);
    },
  };
}

const isName = (agent: string): boolean => agent.length > 0 && agent.length <= MAX_NAME_LENGTH;

function check(settings: ThresholdSettings & { readonly threshold?: number }): void {
  for (const name of ['target', 'min', 'max', 'threshold'] as const) {
    const value = settings[name];
    if (value === undefined || (value >= 0 && value <= 1)) continue;
    throw new InputError('threshold_invalid', `${name} is ${value}; it must be a number from 0 to 1.`, {
      param: name,
    });
  }
  if (settings.min > settings.max)
    throw new InputError(
      'threshold_invalid',
      `min is ${settings.min} and max ${settings.max}; min must not be above max.`,
      { param: 'min' },
    );
}
