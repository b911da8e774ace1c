/**
 * The kernels over a memory, and what they compute in plain words for processors without WebAssembly's vectors (which no
 * supported Node has) and for tests.
 *
 * @module vault/split/kernel
 */
import { KERNEL_MAX_PAGES, KERNELS } from './kernel-source.ts';

export const PAGE_BYTES = 65_536;

type Call = (...numbers: number[]) => number;

/** Addresses and lengths in bytes; see kernel-source.ts. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly multiply: Call;
  readonly turn: Call;
  readonly gather: Call;
}

let modules: Record<keyof typeof KERNELS, WebAssembly.Module> | undefined;

/** @param bytes of memory, at most 2 GiB; taken at once */
export function createKernel(bytes: number): Kernel {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  if (pages > KERNEL_MAX_PAGES) throw new RangeError(`A kernel has ${KERNEL_MAX_PAGES} pages at most.`);
  modules ??= {
    multiply: new WebAssembly.Module(KERNELS.multiply() as Uint8Array<ArrayBuffer>),
    turn: new WebAssembly.Module(KERNELS.turn() as Uint8Array<ArrayBuffer>),
    gather: new WebAssembly.Module(KERNELS.gather() as Uint8Array<ArrayBuffer>),
  };
  const memory = new WebAssembly.Memory({ initial: pages, maximum: KERNEL_MAX_PAGES, shared: true });
  const instance = (name: keyof typeof KERNELS): Call =>
    new WebAssembly.Instance(modules![name], { env: { memory } }).exports[name] as Call;
  return { memory, multiply: instance('multiply'), turn: instance('turn'), gather: instance('gather') };
}
