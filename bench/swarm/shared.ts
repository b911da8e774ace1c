/** What both processes of `npm run bench:swarm` agree on. @module bench/swarm/shared */

export const BARE_PROTOCOL = '/kith-bench/echo/1.0.0';

export const SETTINGS = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  network: 'lan',
  limits: { connectionsPerSecond: 1000 },
} as const;

/** Blocks of bytes with their length before them, each copied once into a buffer of its own; the length is in the block. */
export function eachBlock(onBlock: (block: Uint8Array) => void): (chunk: Uint8Array) => void {
  const head = new Uint8Array(4);
  let headFilled = 0;
  let block: Uint8Array | null = null;
  let filled = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (block === null) {
        head[headFilled++] = chunk[at++]!;
        if (headFilled < 4) continue;
        headFilled = 0;
        block = new Uint8Array(4 + new DataView(head.buffer).getUint32(0));
        block.set(head);
        filled = 4;
        continue;
      }
      const count = Math.min(chunk.length - at, block.length - filled);
      block.set(chunk.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled < block.length) continue;
      const whole = block;
      block = null;
      onBlock(whole);
    }
  };
}

export function blockOf(bytes: number): Uint8Array {
  const block = new Uint8Array(4 + bytes);
  new DataView(block.buffer).setUint32(0, bytes);
  return block;
}
