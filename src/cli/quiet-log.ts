/**
 * The log of commands that print answers: warnings only, unless DEBUG asks for more.
 *
 * @module cli/quiet-log
 */
import { createLogger, type Logger } from '../base/index.ts';

export function quietLog(): Logger {
  return createLogger({ level: 'error' });
}
