/**
 * Entry of the engine process. Descriptor 3 is the pipe to the parent; nothing else is read, and stdout and stderr go
 * to the parent's log.
 *
 * @module engine/process/child
 */

import { Socket } from 'node:net';
import { createHost } from './host.ts';
import { reportFatal, serve } from './serve.ts';
import { PIPE_FD } from './spawn.ts';

// Ctrl-C, a closing terminal and a service manager signal the whole process group. The parent decides: it drains
// requests first and then ends this process, which also ends by itself when the parent is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

// Nothing is left to save, and an orderly exit would wait for native threads in the middle of a pass.
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

process.on('uncaughtException', (error) => {
  reportFatal(error);
  process.exitCode = 70;
  process.stderr.write('', die);
});

serve({
  stream: new Socket({ fd: PIPE_FD, readable: true, writable: true }),
  createHost,
  onGone(error) {
    if (error !== null) reportFatal(error);
    die();
  },
  onShutdown: () => process.exit(0),
});
