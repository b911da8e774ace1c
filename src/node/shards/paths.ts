/**
 * Paths of a node while its swarm runs: who may be asked for which blocks, the circuits, and the backend over them, which the
 * gateway has as long as peers announce blocks of models that this node knows.
 *
 * @module node/shards/paths
 */
import { type Config, isKithError, messageOf, TIERS, type Tier } from '../../base/index.ts';
import {
  createPathBackend,
  type GatewayProvider,
  type OfferedModel,
  pathProvider,
} from '../../gateway/index.ts';
import type { ModelManifest } from '../../models/index.ts';
import type { PathPlanQuery, PathPlanView, PathsDesk } from '../../server/index.ts';
import {
  type CircuitModel,
  type Circuits,
  isPath,
  openCircuits,
  type PathQuery,
  type WorkBook,
} from '../../shards/index.ts';
import { noteVerdicts } from './audits.ts';
import { buildHere } from './build.ts';
import { readCalibrations } from './calibration-file.ts';
import { endsOf } from './ends.ts';
import { helpFor } from './needs.ts';
import { pathChoice } from './path-choice.ts';
import type { Presence } from './presence.ts';
import type { NodeServing } from './serving.ts';
import { textModel, writesText } from './text-model.ts';
import type { ShardParts } from './types.ts';

/** ms between two looks at what peers announce. */
const LOOK_MS = 1000;

export interface NodePaths extends AsyncDisposable {
  readonly circuits: Circuits;
  readonly desk: PathsDesk;
}

interface Known extends OfferedModel {
  readonly manifest: ModelManifest;
}

/**
 * @param work signs for what peers compute
 * @param serving what this node serves itself
 * @param presence which peers cannot be reached
 */
export function openPaths(
  parts: ShardParts,
  work: Pick<WorkBook, 'used'>,
  serving: NodeServing,
  presence: Presence,
): NodePaths {
  const { config, models, engine, swarm, registry, clock, random, log } = parts;
  const { use, pathCells, ownBlocks, activations, redundancy } = config.shards;
  const choice = pathChoice(parts, () => serving.offers(), presence);
  const { choose } = choice;

  async function circuitModel(id: string): Promise<CircuitModel> {
    const { sha256, blocks, context, template } = await textModel(models, id);
    return {
      id,
      sha256,
      blocks,
      context,
      template: template === 'gguf' ? null : template,
      ends: (own, signal) => endsOf(models, { id, blocks }, own, signal),
    };
  }

  const circuits = openCircuits({
    engine,
    swarm,
    work,
    type: activations,
    redundancy: redundancy === 2 ? 2 : 1,
    choose,
    substitute: choice.substitute,
    second: choice.second,
    help: helpFor(parts, choice, serving),
    audit: {
      share: config.shards.audit,
      onVerdict: noteVerdicts(parts.trust, log),
      own: (...asked) => serving.lend(...asked),
      build: buildHere(parts),
    },
    onTrouble: choice.onTrouble,
    onLink: choice.onLink,
    unmet: choice.unmet,
    clock,
    random,
    log,
  });

  /** Models of which peers that may be asked announce blocks. */
  let known: readonly Known[] = [];
  let standing: { readonly tier: Tier; readonly pledge: boolean } = { tier: 'unknown', pledge: false };

  const wholeOf = ({ sha256, blocks }: ModelManifest, requirements = {}, cells = 0): PathQuery => ({
    model: sha256,
    span: { from: 0, to: blocks },
    cells,
    requirements,
    via: null,
    exclude: new Set(),
  });
  const isCovered = (manifest: ModelManifest, requirements = {}): boolean =>
    choice.covers(wholeOf(manifest, requirements));

  const provider: GatewayProvider = pathProvider({
    backend: createPathBackend({
      name: freeNameFor(config),
      circuits: () => circuits,
      offered: () => known,
      model: circuitModel,
      engine,
      cells: pathCells,
      ownBlocks,
      overflow: config.engine.overflow,
      random,
    }),
    standing: () => standing,
    meets(requirements) {
      // Who forces a path where none is learns which blocks are missing.
      if (Object.keys(requirements).length === 0) return { ok: true, reasons: [] };
      const ok = known.some(({ manifest, covered }) => covered && isCovered(manifest, requirements));
      const none = known.some(({ covered }) => covered)
        ? 'there is no path through peers that all meet what is asked'
        : 'there is no path through peers now';
      return { ok, reasons: ok ? [] : [none] };
    },
  });

  async function look(): Promise<void> {
    const announced = new Set<string>();
    for (const [peer, records] of registry.byPeer()) {
      if (peer === registry.self || choice.refusal(peer) !== null) continue;
      for (const [model, { announcement }] of records)
        if (announcement.serves.includes('blocks') && announcement.exp > clock.now()) announced.add(model);
    }
    if (announced.size > 0 && swarm.state === 'running')
      for (const { peer, rttMs } of await swarm.links()) if (rttMs !== null) choice.measured(peer, rttMs);
    const entries = announced.size === 0 ? [] : await models.list();
    const now = entries.flatMap(({ manifest }): Known[] => {
      const { id, task, context, bytes, sha256, family, quantisation } = manifest;
      if (!announced.has(sha256) || !writesText(manifest)) return [];
      return [
        {
          manifest,
          row: { id, task, context, bytes, digest: sha256, family, quantisation },
          covered: isCovered(manifest),
        },
      ];
    });
    standing = strictest(now.filter(({ covered }) => covered));
    const told = (rows: readonly Known[]) =>
      rows.map(({ row, covered }) => `${row.id} ${covered}`).join(', ');
    const changed = told(now) !== told(known);
    known = now;
    if (!changed) return;
    log.info('models over peers', { models: told(now) });
    parts.found(now.length === 0 ? [] : [provider]);
  }

  /** The most that all peers of some path give. */
  function strictest(rows: readonly Known[]): typeof standing {
    for (const pledge of [true, false])
      for (const tier of TIERS.toReversed())
        if (rows.some(({ manifest }) => isCovered(manifest, { minTier: tier, ...(pledge && { pledge }) })))
          return { tier, pledge };
    return { tier: 'unknown', pledge: false };
  }

  const ending = new AbortController();
  const looking = (async () => {
    let failed = '';
    // What was measured before this start, until a link tells better.
    const { ways } = await readCalibrations(config.home).catch(() => ({ ways: [] }));
    for (const { peer, rttMs } of ways) choice.measured(peer, rttMs);
    while (use !== 'nobody' && !ending.signal.aborted) {
      await look().then(
        () => {
          failed = '';
        },
        (error: unknown) => {
          const said = messageOf(error);
          if (said !== failed && !ending.signal.aborted) log.warn('paths were not looked at', { err: said });
          failed = said;
        },
      );
      await clock.sleep(LOOK_MS, ending.signal).catch(() => {});
    }
  })();

  async function plan({ model: id, requirements, via, cells }: PathPlanQuery): Promise<PathPlanView> {
    const { manifest } = await models.get(id);
    const own = requirements.pledge === true ? ownBlocks : 0;
    const span = { from: own, to: Math.max(own + 1, manifest.blocks - own) };
    const query = {
      ...wholeOf(manifest, requirements, cells ?? Math.min(pathCells, manifest.context)),
      span,
      via,
    };
    const { plan, leftOut } = choose(query);
    const path = isPath(plan) ? plan : null;
    return {
      model: id,
      blocks: manifest.blocks,
      span,
      cells: query.cells,
      path:
        path === null
          ? null
          : {
              shards: path.shards.map(({ peer, from, to, computeMs, linkMs }) => ({
                peer,
                from,
                to,
                computeMs,
                linkMs,
              })),
              msPerToken: path.msPerToken,
            },
      gaps: isPath(plan) ? [] : plan.gaps,
      alternatives: (path?.shards ?? []).map(({ peer: without }) => {
        const other = choose({ ...query, exclude: new Set([without]) }).plan;
        return isPath(other)
          ? { without, msPerToken: other.msPerToken, peers: other.shards.map(({ peer }) => peer) }
          : { without, msPerToken: null, peers: [] };
      }),
      leftOut,
    };
  }

  return {
    circuits,
    desk: {
      plan,
      circuits: async () => circuits.list(),
      async create({ model, name, ttlMs, requirements, via, cells }, signal) {
        const own = requirements.pledge === true ? ownBlocks : 0;
        return circuits.create(
          {
            model: await circuitModel(model),
            name,
            ttlMs,
            requirements,
            own,
            via,
            cells: cells ?? pathCells,
          },
          signal,
        );
      },
      close: (name) => circuits.close(name),
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the node is leaving'));
      await looking;
      try {
        parts.found([]);
      } catch (error) {
        // The gateway may be closed already.
        if (!isKithError(error)) throw error;
      }
      await circuits[Symbol.asyncDispose]();
    },
  };
}

/** The owner's backends keep their names. */
function freeNameFor({ backends }: Config): string {
  const taken = new Set(backends.map(({ name }) => name));
  return taken.has('peers') ? 'kith-peers' : 'peers';
}
