/**
 * Models that a backend's entry speaks of without listing them.
 *
 * @module base/settings/listed-models
 */

export interface ModelNames {
  readonly models?: readonly (string | { readonly id: string })[] | undefined;
  readonly anyModel?: boolean | undefined;
  readonly defaults?: Readonly<Record<string, string | undefined>> | undefined;
  readonly aliases?: Readonly<Record<string, string | undefined>> | undefined;
  readonly prices?: Readonly<Record<string, unknown>> | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** What is not listed is not asked for, so an alias, a price or a fact of it would count for nothing without a word. */
export function unlistedModels(entry: ModelNames): { readonly path: string[]; readonly message: string }[] {
  if (entry.models === undefined || entry.anyModel === true) return [];
  const listed = new Set(entry.models.map((row) => (typeof row === 'string' ? row : row.id)));
  const named: { path: string[]; model: string }[] = [];
  for (const field of ['defaults', 'aliases'] as const)
    for (const [use, model] of Object.entries(entry[field] ?? {}))
      if (model !== undefined) named.push({ path: [field, use], model });
  for (const field of ['prices', 'facts'] as const)
    for (const model of Object.keys(entry[field] ?? {})) named.push({ path: [field, model], model });
  return named
    .filter(({ model }) => !listed.has(model))
    .map(({ path, model }) => ({
      path,
      message: `names '${model.slice(0, 80)}', which models does not list: add it there, remove it here, or set anyModel: true`,
    }));
}
