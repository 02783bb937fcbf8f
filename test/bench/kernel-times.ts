/** Reads onnxruntime's profile: how long each node took, each time it ran. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { z } from 'zod'

const shapes = z.array(z.record(z.string(), z.array(z.number())))
const event = z.object({
  name: z.string(),
  dur: z.number(),
  args: z.object({ op_name: z.string(), input_type_shape: shapes, output_type_shape: shapes }),
})

export interface KernelTime {
  /** Name of the node: that of its first output, after those of the functions it was inlined from. */
  node: string
  op: string
  ms: number
  inputs: number[][]
  outputs: number[][]
}

const SUFFIX = '_kernel_time'

/** Profiles `run`, which has to pass the prefix to its session and to release it. Events come in the order of time. */
export async function kernelTimes(run: (profilePrefix: string) => Promise<void>): Promise<KernelTime[]> {
  const folder = mkdtempSync(`${tmpdir()}/palimpsest-profile-`)
  try {
    await run(`${folder}/profile`)
    const [file] = readdirSync(folder)
    const events = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { cat: string; name: string }[]
    return events
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith(SUFFIX))
      .map((raw) => {
        const { name, dur, args } = event.parse(raw)
        const extents = (list: z.infer<typeof shapes>) => list.flatMap((entry) => Object.values(entry))
        return {
          node: name.slice(0, -SUFFIX.length),
          op: args.op_name,
          ms: dur / 1000,
          inputs: extents(args.input_type_shape),
          outputs: extents(args.output_type_shape),
        }
      })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
