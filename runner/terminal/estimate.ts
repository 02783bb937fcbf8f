/** How far many stages are, and how long they will still take: by the times of stages alike where some are done, else by the time that
 *  a unit of work took in any other. */

export interface Work {
  /** Stages of equal value take the same time for the same amount. */
  like: string
  /** In a unit that all stages have in common, roughly. */
  amount: number
}

/** A stage under way. */
export interface Underway {
  work: Work
  /** How much of it is done, from 0 to 1; null where it does not tell. */
  part: number | null
  seconds: number
}

export interface Estimate {
  /** A stage is over; `seconds` is null where it was not computed here, which says nothing about speed. */
  end(work: Work, seconds: number | null): void
  /** Done of the whole, from 0 to 1. */
  share(now: readonly Underway[]): number
  /** NaN as long as nothing was measured. */
  secondsLeft(now: readonly Underway[]): number
}

/** With `jobs`, so many stages go on at once. */
export function estimateOf(all: Work[], done: Work[], jobs = 1): Estimate {
  const total = sum(all.map(({ amount }) => amount))
  const left = new Map<string, number>()
  const add = ({ like, amount }: Work, sign: 1 | -1) => left.set(like, (left.get(like) ?? 0) + sign * amount)
  for (const work of all) add(work, 1)
  for (const work of done) add(work, -1)
  const measured = new Map<string, { amount: number; seconds: number }>()

  /** Seconds that a unit of work takes. */
  const paceOf = (like: string, now: readonly Underway[]): number => {
    const alike = measured.get(like)
    if (alike) return alike.seconds / alike.amount
    const telling = now.filter(({ part }) => part)
    const own = telling.find(({ work }) => work.like === like)
    if (own) return own.seconds / (own.part! * own.work.amount)
    const others = [...measured.values()]
    if (others.length > 0) return sum(others.map(({ seconds }) => seconds)) / sum(others.map(({ amount }) => amount))
    const [any] = telling
    return any ? any.seconds / (any.part! * any.work.amount) : Number.NaN
  }
  /** Work done of the stages under way: by their own count, else by the time that they took so far. */
  const doneOf = (now: readonly Underway[], of = now): number =>
    sum(
      of.map(({ work, part, seconds }) => {
        const known = part ?? Math.min(0.95, seconds / (paceOf(work.like, now) * work.amount))
        return Number.isFinite(known) ? known * work.amount : 0
      }),
    )
  return {
    end(work, seconds) {
      add(work, -1)
      if (seconds === null) return
      const before = measured.get(work.like) ?? { amount: 0, seconds: 0 }
      measured.set(work.like, { amount: before.amount + work.amount, seconds: before.seconds + seconds })
    },
    share: (now) => (total > 0 ? 1 - (sum(left.values()) - doneOf(now)) / total : 1),
    secondsLeft: (now) =>
      sum(
        [...left].map(([like, amount]) => {
          const alike = now.filter(({ work }) => work.like === like)
          const open = amount - doneOf(now, alike)
          return open > 0 ? open * paceOf(like, now) : 0
        }),
      ) / jobs,
  }
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
