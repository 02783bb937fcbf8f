/** Slugs of benchmarks that a server made itself: their first word tells them from those of any release, today's or a later one. */

export const OWN = 'own.'

export const isOwn = (slug: string): boolean => slug.startsWith(OWN)

/** `own.pets.v3` for `own.pets.v2`, and `own.pets.v2` for `own.pets`. */
export function nextVersion(slug: string): string {
  const [, base = slug, version = '1'] = /^(.+)\.v(\d+)$/.exec(slug) ?? []
  return `${base}.v${Number(version) + 1}`
}
