/**
 * What the owner says is personal data, besides what is built in.
 *
 * @module node/detectors
 */
import { type Config, InputError, isKithError } from '../base/index.ts';
import { createPatternDetector, type GatewayOptions } from '../gateway/index.ts';

/** Throws InputError `config_invalid` that names the pattern. */
export function detectorsOf({ patterns }: Config): NonNullable<GatewayOptions['detectors']> {
  const seen = new Set<string>();
  return patterns.map(({ name, pattern, class: found, ignoreCase }, index) => {
    const place = `patterns[${index}]`;
    if (seen.has(name))
      throw new InputError('config_invalid', `${place}.name: there are two patterns '${name}'; rename one.`, {
        param: `${place}.name`,
      });
    seen.add(name);
    try {
      return createPatternDetector({
        name,
        pattern,
        ...(found === undefined ? {} : { class: found }),
        ...(ignoreCase === undefined ? {} : { ignoreCase }),
      });
    } catch (error) {
      if (!isKithError(error)) throw error;
      throw new InputError('config_invalid', `${place}.pattern: ${error.message}`, {
        param: `${place}.pattern`,
        cause: error,
      });
    }
  });
}
