/** Draws docs/rooms.svg: the folders of scripts/fences.json as boxes, what each may import as arrows downwards. An arrow that
 *  follows from others is left out. The same lists always give the same drawing: each room stands one floor above the
 *  highest that it imports, long arrows get a place on every floor that they pass, and twelve sweeps sort the floors. */
import { readFileSync } from 'node:fs'
import type { Generated } from './generated.ts'

/** As scripts/fences.ts reads it. */
export interface Fence {
  folders?: string[]
  packages?: string[]
}

/** A room, or the place where an arrow passes a floor. */
interface Spot {
  floor: number
  width: number
  /** Its middle. */
  x: number
  /** Spots of the neighbouring floors that it is joined to. */
  below: Spot[]
  above: Spot[]
  name?: string
}

const FENCES = 'scripts/fences.json'
const DRAWING = 'docs/rooms.svg'
/** Where each room has its sentence. */
const SENTENCES = 'ARCHITECTURE.md'
const SWEEPS = 12
const FLOOR = 74
const BOX = 34
const GAP = 14
const MARGIN = 24
const LETTER = 7.1
const SMALL_LETTER = 5.3

export function rooms(): Generated {
  const fences = JSON.parse(readFileSync(FENCES, 'utf8')) as Record<string, Fence>
  const text = readFileSync(SENTENCES, 'utf8')
  const faults = Object.keys(fences)
    .filter((folder) => !text.includes(`\`${folder}\``))
    .map((folder) => `${SENTENCES}: expected a sentence for the room \`${folder}\``)
  return { path: DRAWING, content: draw(fences), faults }
}

export function draw(fences: Record<string, Fence>): string {
  const names = Object.keys(fences).sort()
  const importsOf = (name: string) => (fences[name]?.folders ?? []).filter((target) => target in fences)
  const floorOf = remembered((name: string): number => Math.max(-1, ...importsOf(name).map(floorOf)) + 1)
  /** All that a room reaches by arrows. */
  const reach = remembered(
    (name: string): ReadonlySet<string> => new Set(importsOf(name).flatMap((target) => [target, ...reach(target)])),
  )
  const arrowsOf = (name: string) => {
    const targets = importsOf(name)
    return targets.filter((target) => !targets.some((other) => other !== target && reach(other).has(target))).sort()
  }

  const floors: Spot[][] = Array.from({ length: Math.max(...names.map(floorOf)) + 1 }, () => [])
  const place = (spot: Omit<Spot, 'x' | 'below' | 'above'>): Spot => {
    const placed = { ...spot, x: 0, below: [], above: [] }
    floors[spot.floor]!.push(placed)
    return placed
  }
  const spots = new Map(
    names.map((name) => [name, place({ name, floor: floorOf(name), width: widthOf(name, fences) })]),
  )
  const arrows: Spot[][] = []
  for (const name of names) {
    for (const target of arrowsOf(name)) {
      const [from, to] = [spots.get(name)!, spots.get(target)!]
      const path = [from]
      for (let floor = from.floor - 1; floor > to.floor; floor--) path.push(place({ floor, width: 4 }))
      path.push(to)
      path.slice(1).forEach((spot, i) => {
        path[i]!.below.push(spot)
        spot.above.push(path[i]!)
      })
      arrows.push(path)
    }
  }
  arrange(floors)

  const left = Math.min(...[...spots.values()].map(({ x, width }) => x - width / 2)) - MARGIN
  const right = Math.max(...[...spots.values()].map(({ x, width }) => x + width / 2)) + MARGIN
  const width = Math.ceil(right - left)
  const height = floors.length * FLOOR - (FLOOR - BOX) + 2 * MARGIN
  const xOf = ({ x }: Spot) => round(x - left)
  const topOf = ({ floor }: Spot) => MARGIN + (floors.length - 1 - floor) * FLOOR

  const lines = arrows.map((path) => {
    const points = path.flatMap((spot, i) => {
      const top = topOf(spot)
      const ends = [
        [xOf(spot), top],
        [xOf(spot), top + BOX],
      ]
      return i === 0 ? ends.slice(1) : i === path.length - 1 ? ends.slice(0, 1) : ends
    }) as [number, number][]
    const [[startX, startY], ...rest] = points as [[number, number], ...[number, number][]]
    let d = `M${startX} ${startY}`
    rest.forEach(([x, y], i) => {
      const [, from] = points[i]!
      // Straight down beside a box, a curve between two floors.
      d += i % 2 === 1 ? `L${x} ${y}` : `C${points[i]![0]} ${from + 22} ${x} ${y - 22} ${x} ${y}`
    })
    return `<path d="${d}" marker-end="url(#tip)"><title>${path[0]!.name} imports ${path.at(-1)!.name}</title></path>`
  })
  const boxes = [...spots].map(([name, spot]) => {
    const packages = packagesOf(fences[name]!)
    const [x, y] = [xOf(spot), topOf(spot)]
    const label = packages
      ? `<text x="${x}" y="${y + 15}">${name}</text><text class="small" x="${x}" y="${y + 27}">${packages}</text>`
      : `<text x="${x}" y="${y + 21}">${name}</text>`
    const box = `<rect x="${round(x - spot.width / 2)}" y="${y}" width="${round(spot.width)}" height="${BOX}" rx="4"/>`
    return `<g class="${name.split('/')[0]}">${box}${label}</g>`
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Rooms and what they may import">`,
    style,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 1L7 4L0 7" fill="none" stroke="#777"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...lines,
    ...boxes,
    '</svg>',
  ].join('\n')}\n`
}

const style = `<style>
text { font: 12px system-ui, sans-serif; text-anchor: middle; fill: #1b1b1b }
.small { font-size: 9.5px; fill: #555 }
.page { fill: #fff }
path { fill: none; stroke: #8a8a8a }
g rect { stroke: #555; fill: #eee }
.runner rect { fill: #e3edf7 }
.worker rect { fill: #f7ecdd }
.schema rect { fill: #e6f2e4 }
</style>`

/** Sorts each floor by where its neighbours stand, upwards and downwards in turn, then places it. Rooms of the runner stay left of
 *  the schema's, the worker's right. */
function arrange(floors: Spot[][]): void {
  const sides = ['runner', 'schema', 'worker']
  const sideOf = (spot: Spot): number => (spot.name ? sides.indexOf(spot.name.split('/')[0]!) : sideOf(spot.above[0]!))
  for (const floor of floors) {
    floor.sort((a, b) => sideOf(a) - sideOf(b))
    settle(floor, new Map())
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const upwards = sweep % 2 === 0
    for (const floor of upwards ? floors : floors.toReversed()) {
      const goals = new Map(
        floor.flatMap((spot): [Spot, number][] => {
          const near = upwards ? spot.below : spot.above
          return near.length > 0 ? [[spot, near.reduce((sum, { x }) => sum + x, 0) / near.length]] : []
        }),
      )
      const goal = (spot: Spot) => goals.get(spot) ?? spot.x
      floor.sort((a, b) => sideOf(a) - sideOf(b) || goal(a) - goal(b))
      settle(floor, goals)
    }
  }
  for (const floor of floors) {
    const both = (spot: Spot) => [...spot.below, ...spot.above]
    settle(floor, new Map(floor.map((spot) => [spot, mean(both(spot).map(({ x }) => x)) ?? spot.x])))
  }
}

/** Places a floor in its order without overlaps, as near to the goals as least squares allow: neighbours that would overlap
 *  become one block, which stands at the mean of what they want. */
function settle(floor: Spot[], goals: ReadonlyMap<Spot, number>): void {
  let offset = 0
  const offsets = floor.map(({ width }, i) => {
    if (i > 0) offset += floor[i - 1]!.width / 2 + GAP + width / 2
    return offset
  })
  const blocks: { sum: number; count: number }[] = []
  const at = ({ sum, count }: { sum: number; count: number }) => sum / count
  floor.forEach((spot, i) => {
    let block = { sum: (goals.get(spot) ?? spot.x) - offsets[i]!, count: 1 }
    while (blocks.length > 0 && at(blocks.at(-1)!) > at(block)) {
      const before = blocks.pop()!
      block = { sum: before.sum + block.sum, count: before.count + block.count }
    }
    blocks.push(block)
  })
  const placed = blocks.flatMap((block) => Array.from({ length: block.count }, () => at(block)))
  floor.forEach((spot, i) => {
    spot.x = placed[i]! + offsets[i]!
  })
}

const packagesOf = ({ packages = [] }: Fence) => packages.filter((name) => name !== 'node').join(', ')

const widthOf = (name: string, fences: Record<string, Fence>) =>
  Math.max(name.length * LETTER, packagesOf(fences[name]!).length * SMALL_LETTER) + 18

const mean = (values: number[]) => (values.length > 0 ? values.reduce((a, b) => a + b) / values.length : null)

const round = (value: number) => Math.round(value * 10) / 10

const asked = Symbol('asked')

function remembered<Value>(compute: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value | typeof asked>()
  return (name) => {
    const value = known.get(name)
    if (value === asked)
      throw new Error(`${FENCES}: ${name} may import itself through others; npm run lint names the circle`)
    if (value !== undefined) return value
    known.set(name, asked)
    const found = compute(name)
    known.set(name, found)
    return found
  }
}
