/** The samples in the order of the trainer's loops. Each has a slot; slots lie in four runs:
 *
 *    [0, upEnd)           only in I_up:  y alpha may only grow
 *    [upEnd, freeEnd)     free, 0 < alpha < C: in I_up and in I_low
 *    [freeEnd, activeEnd) only in I_low: y alpha may only shrink
 *    [activeEnd, n)       set aside by shrinking
 *
 *  so that a loop over I_up, over I_low or over both has no condition. Beside it each sample has a place, its index in LIBSVM,
 *  which decides between equals. */

export interface Slots {
  /** Index of its feature among the distinct ones, by slot, as all that follow. */
  value: Int32Array
  /** y: 1 or -1. */
  sign: Float64Array
  alpha: Float64Array
  /** -y_t grad f(alpha)_t. */
  score: Float64Array
  place: Int32Array
  sample: Int32Array
  /** The slot at each place. */
  slotAt: Int32Array
  upEnd: number
  freeEnd: number
  activeEnd: number
}

const UP = 0
const FREE = 1
const LOW = 2

/** All alpha are zero, all gradients -1. Places are the order of `valueIndex`. */
export function createSlots(valueIndex: Int32Array, signs: Int8Array): Slots {
  const n = signs.length
  // By value within a class, which the loops read kernel rows by.
  const sample = Int32Array.from(valueIndex.keys()).sort(
    (a, b) => signs[b]! - signs[a]! || valueIndex[a]! - valueIndex[b]!,
  )
  const slots: Slots = {
    value: sample.map((index) => valueIndex[index]!),
    sign: Float64Array.from(sample, (index) => signs[index]!),
    alpha: new Float64Array(n),
    score: Float64Array.from(sample, (index) => signs[index]!),
    place: sample.slice(),
    sample,
    slotAt: new Int32Array(n),
    upEnd: signs.filter((sign) => sign > 0).length,
    freeEnd: 0,
    activeEnd: n,
  }
  slots.freeEnd = slots.upEnd
  sample.forEach((index, slot) => {
    slots.slotAt[index] = slot
  })
  return slots
}

function runOf({ alpha, sign }: Slots, slot: number, cost: number) {
  if (alpha[slot]! > 0 && alpha[slot]! < cost) return FREE
  return alpha[slot]! <= 0 === sign[slot]! > 0 ? UP : LOW
}

function swap(slots: Slots, a: number, b: number) {
  for (const array of [slots.value, slots.sign, slots.alpha, slots.score, slots.place, slots.sample]) {
    const kept = array[a]!
    array[a] = array[b]!
    array[b] = kept
  }
  slots.slotAt[slots.place[a]!] = a
  slots.slotAt[slots.place[b]!] = b
}

/** Moves the active sample at a place to the run of its new alpha. Run by run, one swap each. */
export function settle(slots: Slots, place: number, cost: number) {
  let slot = slots.slotAt[place]!
  let run = slot < slots.upEnd ? UP : slot < slots.freeEnd ? FREE : LOW
  const wanted = runOf(slots, slot, cost)
  while (run !== wanted) {
    const edge =
      run < wanted ? (run++ === UP ? --slots.upEnd : --slots.freeEnd) : run-- === LOW ? slots.freeEnd++ : slots.upEnd++
    swap(slots, slot, edge)
    slot = edge
  }
}

/** Gives each sample its place anew: `order` lists their slots. The first `active` are active, the others set aside. */
export function arrange(slots: Slots, order: Int32Array, active: number, cost: number) {
  const runs = order.map((slot, place) => (place < active ? runOf(slots, slot, cost) : LOW + 1))
  const ends = [0, 0, 0, 0]
  for (const run of runs) for (let later = run; later < ends.length; later++) ends[later]!++
  const [upEnd, freeEnd] = ends as [number, number, number, number]
  const next = [0, ...ends]
  const { place } = slots
  runs.forEach((run, at) => {
    place[next[run]!++] = at
  })
  for (const array of [slots.value, slots.sign, slots.alpha, slots.score, slots.sample]) {
    const old = array.slice()
    for (let slot = 0; slot < place.length; slot++) array[slot] = old[order[place[slot]!]!]!
  }
  place.forEach((at, slot) => {
    slots.slotAt[at] = slot
  })
  Object.assign(slots, { upEnd, freeEnd, activeEnd: active })
}
