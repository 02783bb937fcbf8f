/** workerd, which servers run in: a binary that wrangler brings, and of which a platform may have no build. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { UsageError } from '../words/usage.ts'

/** Throws where it does not start; `wrangler` is the file that would start it. */
export async function requireWorkerd(wrangler: string): Promise<void> {
  const require = createRequire(wrangler)
  try {
    const { default: binary } = require('workerd') as { default: string }
    await promisify(execFile)(binary, ['--version'])
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string }
    const [reason] = (stderr.trim() || message.trim()).split('\n')
    const builds = platforms(require)
    const remedy =
      builds.length > 0
        ? `it is built for ${builds.join(', ')}, and on linux needs glibc (musl will not do); serve on one of these`
        : 'install it with npm ci'
    throw new UsageError(
      `workerd, which servers run in, does not start on ${process.platform} ${process.arch}: ${reason}; ${remedy}`,
    )
  }
}

const manifest = z.object({ optionalDependencies: z.record(z.string(), z.string()) })

/** Such as `linux x64`: what it is built for; nothing where it is not installed. */
function platforms(require: NodeJS.Require): string[] {
  try {
    const path = join(dirname(dirname(require.resolve('workerd'))), 'package.json')
    const { optionalDependencies } = manifest.parse(JSON.parse(readFileSync(path, 'utf8')))
    return Object.keys(optionalDependencies).flatMap((name) => {
      const [, system, processor] = /workerd-(\w+)-(\w+)$/.exec(name) ?? []
      return system ? [`${system.replace('windows', 'win32')} ${processor!.replace(/^64$/, 'x64')}`] : []
    })
  } catch {
    return []
  }
}
