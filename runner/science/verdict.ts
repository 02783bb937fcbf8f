/** What a ranking says, in sentences: who is closest to retrain and who is apart from it, where SalUn stands, what its mask does, and
 *  what the metrics beside Avg. Gap add. Pages and the command line both say it. Pure. */
import { labelled } from '../words/names.ts'
import { fixed, meanAndSd, plural, signed } from '../words/numbers.ts'
import {
  afterHolm,
  apartP,
  clusterMeans,
  meanAndSpread,
  type Separation,
  type Spread,
  separations,
} from './statistics.ts'

/** The method that the others claim to beat. */
const SUBJECT = 'salun'

/** What is asked of a row of a board. */
interface Row {
  /** Different for each. */
  submission: string
  method: string
  title: string
  label: string
  params: Readonly<Record<string, unknown>>
  avgGap: Spread | null
  /** Avg. Gap by seed. */
  gapBySeed: Readonly<Record<string, number>>
  rank: object | null
  /** By column: the mean gap to retrain, and how sure it is that it is not 0. */
  metrics: Readonly<Record<string, { gap: number | null; gapP: number | null }>>
}

interface Ranking {
  columns: readonly { id: string; title: string; better: string; inAvgGap: boolean }[]
  references: readonly Row[]
  /** In their order. */
  rows: readonly Row[]
}

/** The cluster that a run counts in, by its seed. */
type ClusterOf = (seed: number) => number

export interface Verdict {
  /** Who is first, and of the subject where it stands and what its mask does. */
  lead: string[]
  /** Masks on other methods, and metrics beside Avg. Gap. */
  more: string[]
}

/** Empty where nothing is ranked by Avg. Gap, or one row alone. */
export function verdictOf({ columns, references, rows }: Ranking, clusterOf: ClusterOf = (seed) => seed): Verdict {
  const ranked = rows.filter(({ rank, avgGap }) => rank && avgGap)
  if (ranked.length < 2) return { lead: [], more: [] }
  const entries = ranked.map((row) => ({ id: row.submission, bySeed: gapsOf(row) }))
  const apart = separations(entries, { clusterOf })
  const byMask = masks(ranked, clusterOf)
  const ofSubject = byMask.filter(({ method }) => method === SUBJECT)
  const wordsOf = (found: typeof byMask) => found.map(({ words }) => words)
  return {
    lead: [closest(ranked, apart, references), ...standing(ranked, apart), ...wordsOf(ofSubject)],
    more: [
      ...wordsOf(byMask.filter((found) => !ofSubject.includes(found))),
      ...columns
        .filter(({ better, inAvgGap }) => better === 'closer-to-retrain' && !inAvgGap)
        .flatMap((column) => beside(column, ranked, references)),
    ],
  }
}

const gapsOf = ({ gapBySeed }: Row) =>
  new Map(Object.entries(gapBySeed).map(([seed, gap]) => [Number(seed), gap] as const))

/** What a mean is over. */
const overWords = ({ n, runs }: Spread) => (runs === undefined ? plural(n, 'seed') : `${plural(n, 'cluster')} of seeds`)

const gapWords = ({ avgGap }: Row) => meanAndSd(avgGap!)

function closest(rows: Row[], apart: Separation[], references: readonly Row[]): string {
  const [first, ...others] = rows as [Row, ...Row[]]
  const behind = new Set(apart.flatMap(({ better, worse }) => (better === first.submission ? [worse] : [])))
  const near = others.filter(({ submission }) => !behind.has(submission))
  const floor = references.find(({ method }) => method === 'retrain-again')?.avgGap
  return [
    `Closest to retrain is ${labelled(first)}: Avg. Gap ${gapWords(first)} over ${overWords(first.avgGap!)}`,
    floor ? ` (a second retraining comes to ${fixed(floor.mean)})` : '',
    `. ${behind.size} of ${others.length} other rows are apart from it`,
    near.length > 0 ? `; not apart: ${listOf(near)}.` : '.',
  ].join('')
}

/** Of the subject's own row, the one with its own mask. */
function standing(rows: Row[], apart: Separation[]): string[] {
  const own = rows.find((row) => row.method === SUBJECT && maskOf(row) === 'saliency')
  if (!own) return []
  const named = (ids: string[]) => rows.filter(({ submission }) => ids.includes(submission))
  const ahead = named(apart.flatMap(({ better, worse }) => (better === own.submission ? [worse] : [])))
  const behind = named(apart.flatMap(({ better, worse }) => (worse === own.submission ? [better] : [])))
  const open = rows.length - 1 - ahead.length - behind.length
  return [
    `${labelled(own)}, ${gapWords(own)}, is ahead of ${ahead.length > 0 ? listOf(ahead) : 'none'} and behind ${behind.length > 0 ? listOf(behind) : 'none'}; from ${open} of ${rows.length - 1} it is not apart.`,
  ]
}

/** Of methods that never had a mask, none. */
const maskOf = ({ params }: Row): string => (typeof params.mask === 'string' ? params.mask : 'none')

const MASKS: Readonly<Record<string, string>> = {
  random: 'a random one',
  inverted: 'its inverse',
  none: 'no mask',
}

/** A method with SalUn's mask beside the same with another or none, each at its best setting here: a comparison that was planned, so
 *  Holm's correction is over these alone. */
function masks(rows: Row[], clusterOf: ClusterOf): { method: string; words: string }[] {
  const tests = [...Map.groupBy(rows, ({ method }) => method).values()].flatMap((own) => {
    const masked = own.find((row) => maskOf(row) === 'saliency')
    if (!masked) return []
    return Object.entries(MASKS).flatMap(([mask, words]) => {
      const other = own.find((row) => maskOf(row) === mask)
      const differences = other ? differencesOf(masked, other, clusterOf) : []
      return differences.length > 0 ? [{ masked, words, differences, p: apartP(differences) }] : []
    })
  })
  const sure = afterHolm(tests)
  return tests.map((test) => {
    const { masked, words, differences, p } = test
    const { mean, sd, n } = meanAndSpread(differences)
    const found = sure.includes(test) ? (mean < 0 ? 'closer to retrain' : 'further from retrain') : 'not apart'
    const spread = sd === null ? '' : ` ± ${fixed(sd)}`
    const sentence = `${masked.title} with SalUn’s mask against ${words}: Avg. Gap ${signed(mean)}${spread} over ${plural(n, 'seed')}, ${found} (p = ${pWords(p)}).`
    return { method: masked.method, words: sentence }
  })
}

function differencesOf(a: Row, b: Row, clusterOf: ClusterOf): number[] {
  const other = gapsOf(b)
  const found = [...gapsOf(a)].flatMap(([seed, gap]) => {
    const beside = other.get(seed)
    return beside === undefined ? [] : [{ cluster: clusterOf(seed), value: gap - beside }]
  })
  return clusterMeans(found)
}

const pWords = (p: number): string => (p < 0.001 ? 'below 0.001' : p.toFixed(3))

/** Which rows such a metric tells from retrain: what Avg. Gap can't see. */
function beside({ id, title }: { id: string; title: string }, rows: Row[], references: readonly Row[]): string[] {
  const tests = [...rows, ...references].flatMap((row) => {
    const { gap, gapP } = row.metrics[id] ?? {}
    return typeof gap === 'number' && typeof gapP === 'number' ? [{ row, gap, p: gapP }] : []
  })
  const ranked = tests.filter(({ row }) => rows.includes(row))
  if (ranked.length < 2) return []
  const told = afterHolm(ranked)
  const own = ranked.find(({ row }) => row.method === SUBJECT && maskOf(row) === 'saliency')
  const floor = tests.find(({ row }) => row.method === 'retrain-again')
  const missed = ranked.filter((test) => !told.includes(test)).map(({ row }) => row)
  return [
    [
      `${title} tells ${told.length} of ${ranked.length} rows from retrain`,
      own ? `, SalUn ${told.includes(own) ? 'among them' : 'not among them'} (${signed(own.gap)})` : '',
      floor ? `; a second retraining lies ${signed(floor.gap)} off` : '',
      missed.length > 0 && missed.length < ranked.length ? `. Not told: ${listOf(missed)}.` : '.',
    ].join(''),
  ]
}

/** The first of them; the rest as a number. */
const NAMED = 10

function listOf(rows: Row[]): string {
  const names = rows.slice(0, NAMED).map(labelled)
  const more = rows.length - NAMED
  return new Intl.ListFormat('en').format(more > 0 ? [...names, `${more} more`] : names)
}
