/** The path of a run: what was measured of the weights along the way from the original to the result. */
import { z } from 'zod'
import { every } from './stage.ts'

/** The artifact of a stage that was asked for it. */
export const PATH = 'path.json'

/** Methods take some hundred passes at most, and a point has about 100 bytes. */
const MOST_POINTS = 4000
export const MOST_PATH_BYTES = 2 ** 20

export const point = z.strictObject({
  /** How many passes of the method came before: 0 is the original. Null for a result that the last pass left otherwise: what a method
   *  does to the weights without an optimizer, all at once, is no pass. */
  pass: z.int().min(0).nullable(),
  /** By metric id. */
  values: z.record(z.string().max(40), z.number()),
})
export type Point = z.infer<typeof point>

export const path = z
  .strictObject({
    every,
    /** Identities of the metrics, by id. */
    metrics: z.record(z.string().max(40), z.string().max(300)),
    /** From the original to the result. */
    points: z.array(point).min(1).max(MOST_POINTS),
  })
  .check(({ value: { metrics, points }, issues }) => {
    const ids = Object.keys(metrics)
    for (const [index, { pass, values }] of points.entries()) {
      const wrong =
        ids.find((id) => values[id] === undefined) ?? Object.keys(values).find((id) => metrics[id] === undefined)
      const at = ['points', index]
      if (wrong !== undefined)
        issues.push({
          code: 'custom',
          message: `expected one value of each metric, see ${wrong}`,
          input: values,
          path: at,
        })
      if (pass !== index && !(pass === null && index === points.length - 1 && index > 0))
        issues.push({
          code: 'custom',
          message: `expected pass ${index}, got ${pass}`,
          input: pass,
          path: [...at, 'pass'],
        })
    }
  })
export type Path = z.infer<typeof path>
