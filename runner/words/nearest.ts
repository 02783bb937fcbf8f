/** Words for a name that is not known: what the nearest one is, and what there is. */

/** `no method "salum"; did you mean "salun"?; known: ft, ga, ...`. `listed` names fewer than all where there are many. */
export function noSuch(kind: string, name: string, known: Iterable<string>, listed: Iterable<string> = known): string {
  const all = [...known]
  return `no ${kind} "${name}"${didYouMean(name, all)}; known: ${[...(listed === known ? all : listed)].join(', ')}`
}

/** `; did you mean "salun"?`, or nothing when no name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const [nearest] = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance)
  return nearest ? `; did you mean "${nearest.candidate}"?` : ''
}

/** Levenshtein's: insertions, deletions and replacements from a to b. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
