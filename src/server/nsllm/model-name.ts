/**
 * Model names as NS-LLM's documents write them (`all-MiniLM-L6-v2`, `tinyllama-1.1b`) and the ids that they mean here.
 *
 * @module server/nsllm/model-name
 */

/**
 * The id that a name means: the id itself, the same in other letters, or the only id that goes on from the name with a
 * dash. The name itself when none is meant.
 */
export function modelNamed(name: string, ids: readonly string[]): string {
  if (ids.includes(name)) return name;
  const plain = name.toLowerCase();
  const same = ids.find((id) => id.toLowerCase() === plain);
  if (same !== undefined) return same;
  const longer = ids.filter((id) => id.toLowerCase().startsWith(`${plain}-`));
  return longer.length === 1 ? longer[0]! : name;
}
