import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { LoadOptions } from '../../runner/science/dataset.ts'

/** A fresh folder for each test, where its datasets lie; `put` writes a file of it and gives its path. */
export function useDatasetHome(begin: (given: { home: string; options: LoadOptions }) => void) {
  let home: string
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
    begin({ home, options: { directories: [home], cache: join(home, 'cache') } })
  })
  afterEach(() => rm(home, { recursive: true }))
  return async (path: string, content: Uint8Array): Promise<string> => {
    const full = join(home, path)
    await mkdir(dirname(full), { recursive: true })
    await writeFile(full, content)
    return full
  }
}
