/**
 * Graphs kept ready to run again, the latest used first, bounded in number and in bytes of intermediate results.
 *
 * @module engine/runner/graph-cache
 */

/** What a graph has to tell to be kept. */
export interface KeptGraph extends Disposable {
  /** Bytes of intermediate results. */
  readonly bytes: number;
}

export interface GraphCache<G extends KeptGraph> extends Disposable {
  /** The kept graph that `fits`, or a new one. */
  get(fits: (graph: G) => boolean, build: () => G): G;
}

/** @param limits what graphs at rest may be and hold together; the one in use comes on top */
export function createGraphCache<G extends KeptGraph>(limits: {
  readonly graphs: number;
  readonly bytes: number;
}): GraphCache<G> {
  const graphs: G[] = [];
  return {
    get(fits, build) {
      const at = graphs.findIndex(fits);
      if (at >= 0) {
        const [graph] = graphs.splice(at, 1);
        graphs.unshift(graph!);
        return graph!;
      }
      while (
        graphs.length >= limits.graphs ||
        graphs.reduce((sum, { bytes }) => sum + bytes, 0) > limits.bytes
      ) {
        graphs.pop()![Symbol.dispose]();
      }
      const graph = build();
      graphs.unshift(graph);
      return graph;
    },
    [Symbol.dispose]() {
      for (const graph of graphs.splice(0)) graph[Symbol.dispose]();
    },
  };
}
