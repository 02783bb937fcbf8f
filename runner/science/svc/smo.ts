/** Sequential minimal optimization of the dual of C-SVC for samples and the RBF kernel,
 *
 *    min f(alpha) = 1/2 alpha' Q alpha - sum alpha,   0 <= alpha <= C,   y' alpha = 0,   Q_ts = y_t y_s K(x_t, x_s)
 *
 *  (problem 1 of Fan et al.), in the steps of LIBSVM and with its roundings, so that alpha and rho come out as in scikit-learn,
 *  bit by bit:
 *  - the pair of a step by second-order information: procedure WSS 3 of Fan, Chen & Lin 2005, "Working Set Selection Using Second
 *    Order Information for Training Support Vector Machines", https://www.jmlr.org/papers/v6/fan05a.html;
 *  - stopping, the two-variable step, rho, shrinking and the reconstruction of the gradient: Chang & Lin 2011, "LIBSVM: A Library
 *    for Support Vector Machines", https://www.csie.ntu.edu.tw/~cjlin/papers/libsvm.pdf, sections 4.1, 5.1 and 5.2.
 *
 *  Everything is in terms of score_t = -y_t grad f(alpha)_t, whose changes do not depend on y_t:
 *
 *    m = max of I_up score,   M = min of I_low score,   optimal within the tolerance when m - M < 1e-3
 *
 *  A step costs two passes over the active samples: choosing j, and updating the scores, which finds the next i. */
import { kernelRows, type Samples } from './kernel.ts'
import { arrange, createSlots, type Slots, settle } from './slots.ts'

const TOLERANCE = 1e-3
/** Curvature of a pair where the kernel has none. */
const TAU = 1e-12
/** Steps between two rounds of shrinking; fewer where there are fewer samples. */
const SHRINK_EVERY = 1000
/** Where LIBSVM gives up; scikit-learn never does. */
const MOST_STEPS = 1e7

export interface DualProblem {
  /** Distinct ones. */
  samples: Samples
  /** Which of them each example is. */
  valueIndex: Int32Array
  /** y, 1 or -1 for each sample; both occur. */
  signs: Int8Array
  cost: number
  gamma: number
  cacheBytes: number
}

export interface DualSolution {
  /** By sample. */
  alpha: Float64Array
  /** The decision function is sum y alpha K - rho. */
  rho: number
  steps: number
}

export function solveDual({ samples, valueIndex, signs, cost, gamma, cacheBytes }: DualProblem): DualSolution {
  const n = signs.length
  const distinct = samples.data.length / samples.features
  const rows = kernelRows(samples, gamma, cacheBytes)
  const slots = createSlots(valueIndex, signs)
  const { value, sign, alpha, score, place, slotAt } = slots
  /** m, M, and the slot of m; of equals the last place. */
  let up = -Infinity
  let low = Infinity
  let first = -1

  /** score -= a K_i + b K_j of the active, and their m and M. The loops read constants of their own function: those of the outer one
   *  cost a tenth more. */
  function update(rowI: Float32Array, a: number, rowJ: Float32Array, b: number) {
    const { value, score, place, upEnd, freeEnd, activeEnd } = slots
    let max = -Infinity
    let min = Infinity
    let best = -1
    let t = 0
    for (; t < freeEnd; t++) {
      const x = value[t]!
      const next = score[t]! - (rowI[x]! * a + rowJ[x]! * b)
      score[t] = next
      if (next >= max) {
        if (next > max || place[t]! > place[best]!) best = t
        max = next
      }
      if (t >= upEnd && next < min) min = next
    }
    for (; t < activeEnd; t++) {
      const x = value[t]!
      const next = score[t]! - (rowI[x]! * a + rowJ[x]! * b)
      score[t] = next
      if (next < min) min = next
    }
    up = max
    low = min
    first = best
  }
  const nothing = new Float32Array(distinct)
  const lookAgain = () => update(nothing, 0, nothing, 0)

  /** j: of I_low with a smaller score than i's the one whose step gains most, (m - score)^2 / curvature; of equals the last place.
   *  The curvature of a pair is K_ii + K_jj - 2 K_ij, and K_ii is 1. */
  function partnerOf(rowI: Float32Array): number {
    const { value, score, place, upEnd, activeEnd } = slots
    const max = up
    let best = -1
    let most = 0
    /** A little below `most`: a product settles nearly every comparison, the division the rest. */
    let bar = 0
    for (let t = upEnd; t < activeEnd; t++) {
      const lead = max - score[t]!
      if (!(lead > 0)) continue
      const curvature = Math.max(2 - 2 * rowI[value[t]!]!, TAU)
      if (lead * lead < bar * curvature) continue
      const gain = (lead * lead) / curvature
      if (gain > most || (gain === most && place[t]! > place[best]!)) {
        best = t
        most = gain
        bar = gain * (1 - 2 ** -50)
      }
    }
    return best
  }

  /** By value, the sum over alpha = C of -y alpha K (the G-bar of section 5.1): with the free ones it gives the score of a sample
   *  that was set aside. Samples that came to C or left it wait until they are four. */
  const bounded = new Float64Array(distinct)
  const moved: { value: number; weight: number }[] = []

  /** Four in a pass, which reads and writes all of `bounded`; rounded as one by one. */
  function addMoved() {
    if (moved.length === 0) return
    while (moved.length < 4) moved.push({ value: moved[0]!.value, weight: 0 })
    const [a, b, c, d] = moved.map(({ value, weight }) => ({ row: rows.row(value), weight }))
    subtract(bounded, a!, b!, c!, d!)
    moved.length = 0
  }

  /** Scores of all that were set aside. */
  function reconstruct() {
    const { upEnd, freeEnd, activeEnd } = slots
    if (activeEnd === n) return
    addMoved()
    for (let t = activeEnd; t < n; t++) score[t] = bounded[value[t]!]! + sign[t]!
    for (const freePlace of place.slice(upEnd, freeEnd).sort()) {
      const free = slotAt[freePlace]!
      const row = rows.row(value[free]!)
      const weight = sign[free]! * alpha[free]!
      for (let t = activeEnd; t < n; t++) score[t]! -= weight * row[value[t]!]!
    }
  }

  function reactivate() {
    reconstruct()
    arrange(slots, slotAt.slice(), n, cost)
  }

  let reactivated = false

  /** Sets aside what is at a bound and would be pushed against it by any pair. A place whose sample goes is taken by the last
   *  that stays. Once, when ten times the tolerance is reached, everything is looked at again. */
  function shrink() {
    const [max, min] = [up, low]
    if (!reactivated && max - min <= 10 * TOLERANCE) {
      reactivated = true
      reactivate()
    }
    const { upEnd, freeEnd } = slots
    const goes = (slot: number) => (slot < upEnd ? score[slot]! < min : slot >= freeEnd && score[slot]! > max)
    const order = slotAt.slice()
    let end = slots.activeEnd
    for (let at = 0; at < end; at++) {
      if (!goes(order[at]!)) continue
      do end--
      while (end > at && goes(order[end]!))
      const stays = order[end]!
      order[end] = order[at]!
      order[at] = stays
    }
    arrange(slots, order, end, cost)
    lookAgain()
  }

  /** Gives the sample at a place its alpha. */
  function assign(at: number, next: number) {
    const slot = slotAt[at]!
    const wasBounded = alpha[slot]! >= cost
    alpha[slot] = next
    if (wasBounded !== next >= cost) {
      moved.push({ value: value[slot]!, weight: sign[slot]! * (wasBounded ? -cost : cost) })
    }
    settle(slots, at, cost)
  }

  lookAgain()
  let untilShrinking = Math.min(n, SHRINK_EVERY) + 1
  let steps = 0
  while (true) {
    if (--untilShrinking === 0) {
      untilShrinking = Math.min(n, SHRINK_EVERY)
      shrink()
    }
    if (up - low < TOLERANCE) {
      reactivate()
      lookAgain()
      if (up - low < TOLERANCE) break
      untilShrinking = 1
    }
    if (++steps > MOST_STEPS) {
      throw new Error(
        `the SVC: expected m - M below ${TOLERANCE} within ${MOST_STEPS} steps, got ${up - low}; a smaller cost converges sooner`,
      )
    }
    const i = first
    const rowI = rows.row(value[i]!)
    const j = partnerOf(rowI)
    const rowJ = rows.row(value[j]!)
    const curvature = Math.max(2 - 2 * rowI[value[j]!]!, TAU)
    const change = (sign[i]! * (up - score[j]!)) / curvature
    const [alphaI, alphaJ] = stepOf(alpha[i]!, alpha[j]!, change, sign[i] === sign[j], cost)
    const a = sign[i]! * (alphaI - alpha[i]!)
    const b = sign[j]! * (alphaJ - alpha[j]!)
    const [placeI, placeJ] = [place[i]!, place[j]!]
    assign(placeI, alphaI)
    assign(placeJ, alphaJ)
    update(rowI, a, rowJ, b)
    if (moved.length >= 3) addMoved()
  }

  rows.release()
  return { alpha: alphaBySample(slots), rho: rhoOf(slots, up, low), steps }
}

/** The two alphas after a step of `change` along their line, cut off where the line leaves the box (section 4.1, the two-variable
 *  problem). The one that meets its bound gets it exactly, the other follows from their sum or difference, which stays. */
function stepOf(i: number, j: number, change: number, sameSign: boolean, cost: number): readonly [number, number] {
  const nextI = i + change
  const nextJ = sameSign ? j - change : j + change
  if (sameSign) {
    const sum = i + j
    if (sum > cost) {
      if (nextI > cost) return [cost, sum - cost]
      if (nextJ > cost) return [sum - cost, cost]
    } else {
      if (nextI < 0) return [0, sum]
      if (nextJ < 0) return [sum, 0]
    }
  } else {
    const difference = i - j
    if (difference > 0) {
      if (nextJ < 0) return [difference, 0]
      if (nextI > cost) return [cost, cost - difference]
    } else {
      if (nextI < 0) return [0, -difference]
      if (nextJ > cost) return [cost + difference, cost]
    }
  }
  return [nextI, nextJ]
}

/** The mean of -score over the free samples, in the order of their places; without any, the middle of what the bounds allow
 *  (section 4.1.5). */
function rhoOf({ score, slotAt, upEnd, freeEnd }: Slots, up: number, low: number): number {
  const free = slotAt.filter((slot) => slot >= upEnd && slot < freeEnd)
  if (free.length === 0) return -(up + low) / 2
  return free.reduce((sum, slot) => sum - score[slot]!, 0) / free.length
}

function alphaBySample({ alpha, sample }: Slots): Float64Array {
  const result = new Float64Array(alpha.length)
  sample.forEach((index, slot) => {
    result[index] = alpha[slot]!
  })
  return result
}

interface Weighted {
  row: Float32Array
  weight: number
}

/** total -= the rows, one after the other. */
function subtract(total: Float64Array, a: Weighted, b: Weighted, c: Weighted, d: Weighted) {
  const [rowA, rowB, rowC, rowD] = [a.row, b.row, c.row, d.row]
  const [weightA, weightB, weightC, weightD] = [a.weight, b.weight, c.weight, d.weight]
  for (let k = 0; k < total.length; k++) {
    total[k] = total[k]! - weightA * rowA[k]! - weightB * rowB[k]! - weightC * rowC[k]! - weightD * rowD[k]!
  }
}
