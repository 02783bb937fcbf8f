/** sharp, which reads and draws pictures: loaded at the first use, since a machine may have no build of it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type Sharp from 'sharp'
import { z } from 'zod'
import { LocalFault } from '../../store/local-fault.ts'

const require = createRequire(import.meta.url)
let loaded: typeof Sharp | undefined

/** Throws LocalFault where there is no sharp, or it does not start. */
export function pictureLibrary(): typeof Sharp {
  if (loaded) return loaded
  try {
    const sharp = require('sharp') as typeof Sharp
    // libvips remembers decoded files by path, and would miss that a file was replaced.
    sharp.cache(false)
    loaded = sharp
    return sharp
  } catch (error) {
    const [first, second] = (error as Error).message.split('\n')
    const reason = second === undefined || second.startsWith('Possible') ? first : second
    const builds = platforms()
    const remedy =
      builds.length > 0
        ? `it is built for ${builds.join(', ')}; on one of these npm ci installs it`
        : 'install it with npm ci'
    throw new LocalFault(
      `sharp, which reads and draws pictures, does not start on ${process.platform} ${process.arch}: ${reason}; ${remedy}. Only folders of images and image generation need it`,
      { cause: error },
    )
  }
}

/** Loads it, for a refusal before anything was done. Throws LocalFault. */
export const requirePictures = (): void => void pictureLibrary()

const manifest = z.object({ optionalDependencies: z.record(z.string(), z.string()) })

/** Such as `linux x64`: what sharp has a build for; nothing where it is not installed. */
function platforms(): string[] {
  try {
    const path = join(dirname(dirname(require.resolve('sharp'))), 'package.json')
    const { optionalDependencies } = manifest.parse(JSON.parse(readFileSync(path, 'utf8')))
    return Object.keys(optionalDependencies).flatMap((name) => {
      const [, system, processor] = /^@img\/sharp-(darwin|linux|linuxmusl|win32)-(\w+)$/.exec(name) ?? []
      if (!system) return []
      return system === 'linuxmusl' ? `linux ${processor} (musl)` : `${system} ${processor}`
    })
  } catch {
    return []
  }
}
