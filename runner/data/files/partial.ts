/** What came of a download that broke, kept beside its target for the next try, of this process or a later one. */
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { readIfPresent } from '../../store/read.ts'
import { codeOf } from '../../store/write.ts'
import { jsonOrNull } from '../../words/json.ts'

/** Which bytes these are: of an address, as it was when they came. */
const origin = z.object({ url: z.string(), validator: z.string().nullable() })
export type Origin = z.infer<typeof origin>

export interface Partial {
  /** Bytes of this address that are there; 0 begins anew. */
  of(url: string): Promise<{ bytes: number; validator: string | null }>
  /** From now on they are those of that address; what was there of another, or before a change, is dropped unless it goes on. */
  begin(from: Origin, goesOn: boolean): Promise<void>
  append(piece: Uint8Array): Promise<void>
  /** All that came. */
  content(): Promise<Uint8Array>
  drop(): Promise<void>
}

export function partialAt(path: string): Partial {
  const about = `${path}.json`
  const sizeNow = async () => {
    try {
      return (await stat(path)).size
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 0
      throw error
    }
  }
  return {
    async of(url) {
      const text = await readIfPresent(about)
      const known = text && origin.safeParse(jsonOrNull(new TextDecoder().decode(text))).data
      return known && known.url === url
        ? { bytes: await sizeNow(), validator: known.validator }
        : { bytes: 0, validator: null }
    },
    async begin(from, goesOn) {
      await mkdir(dirname(path), { recursive: true })
      if (!goesOn) await writeFile(path, '')
      await writeFile(about, JSON.stringify(from))
    },
    append: (piece) => appendFile(path, piece),
    content: () => readFile(path),
    async drop() {
      await rm(path, { force: true })
      await rm(about, { force: true })
    },
  }
}
