/** Which ops onnxruntime ran on another provider than the one asked for: each costs copies to the processor and back. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Provider } from '../engine/onnx/session.ts'

const names: Record<Provider, string> = { cpu: 'CPUExecutionProvider', cuda: 'CUDAExecutionProvider' }

const event = z.object({ args: z.object({ op_name: z.string(), provider: z.string() }) })

/** Ops of a profile that ran elsewhere, each once, in alphabetical order. Loop is left out: it holds the others. */
export function straysIn(profile: unknown[], provider: Provider): string[] {
  const ran = profile.flatMap((raw) => event.safeParse(raw).data?.args ?? [])
  const strays = ran.filter((node) => node.provider !== names[provider] && node.op_name !== 'Loop')
  return [...new Set(strays.map((node) => node.op_name))].sort()
}

/** Profiles `run`, which has to hand the prefix to its sessions and to release them. */
export async function straysOf(
  provider: Provider,
  run: (profilePrefix: string) => Promise<unknown>,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-profile-'))
  try {
    await run(join(folder, 'profile'))
    const files = await readdir(folder)
    const profiles = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    return straysIn(
      profiles.flatMap((text) => JSON.parse(text) as unknown[]),
      provider,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
