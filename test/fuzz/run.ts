/** Schemathesis, a fuzzer that nobody here wrote, over the API as its OpenAPI document describes it, in every role: nobody, a
 *  submitter, an organiser, an admin, a runner, and one that holds a job. Its findings end this with 1. The server is the real one, with a home
 *  of its own and runs in every state. Where there is no Python, this says so and ends with 0: nothing else here needs it.
 *
 *  FUZZ_EXAMPLES is how often each operation is asked beside the cases that its shape names, FUZZ_SECONDS what each role gets at most;
 *  FUZZ_SEED repeats a run. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { cleanUp, temporaryFolder } from '../support/cli.ts'
import { startServed } from '../support/served.ts'
import { exampleWorld, type World } from './world.ts'

const root = resolve(import.meta.dirname, '../..')
const here = import.meta.dirname
const OLDEST_PYTHON = [3, 11] as const
const seconds = Number(process.env.FUZZ_SECONDS ?? 20)
const examples = process.env.FUZZ_EXAMPLES ?? '10'
const seed = process.env.FUZZ_SEED ?? String(Date.now() % 0x7fffffff)

const run = promisify(execFile)
const say = (line: string) => console.log(`fuzz: ${line}`)

/** A Python that is new enough and has venv and pip; else why there is none. */
async function findPython(): Promise<{ path: string } | { missing: string }> {
  const [major, minor] = OLDEST_PYTHON
  const script = `import sys, venv, ensurepip; assert sys.version_info >= (${major}, ${minor}); print(sys.executable)`
  for (const name of ['python3', 'python']) {
    const path = await run(name, ['-c', script]).then(
      ({ stdout }) => stdout.trim(),
      () => null,
    )
    if (path) return { path }
  }
  return { missing: `no Python ${major}.${minor} or newer with venv and pip` }
}

/** Schemathesis as test/fuzz/requirements.txt pins it, installed once. */
async function schemathesis(python: string): Promise<string> {
  const requirements = join(here, 'requirements.txt')
  const pinned = createHash('sha256')
    .update(await readFile(requirements))
    .update(python)
    .digest('hex')
    .slice(0, 16)
  const folder = join(root, '.palimpsest/fuzz', pinned)
  const command = join(folder, process.platform === 'win32' ? 'Scripts/schemathesis.exe' : 'bin/schemathesis')
  const installed = join(folder, 'installed')
  if ((await readFile(installed).catch(() => null)) === null) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    await run(python, ['-m', 'venv', folder])
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--require-hashes',
      '-r',
      requirements,
    ]
    await run(join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python'), pip)
    await writeFile(installed, '')
  }
  return command
}

interface Role {
  name: string
  token: string | null
  /** Operations by path; all others are left out, or only these asked. */
  only?: string
  without?: string
}

const ENDING = '/jobs/\\{key\\}/fail$'

/** Lanes that run beside each other, each role after the one before. */
const lanesOf = ({ tokens }: World): Role[][] => [
  [
    { name: 'nobody', token: null },
    { name: 'submitter', token: tokens.submitter },
    { name: 'organiser', token: tokens.organiser },
  ],
  [
    { name: 'runner', token: tokens.runner },
    { name: 'job', token: tokens.job, without: ENDING },
    { name: 'job, at its end', token: tokens.job, only: ENDING },
  ],
]
/** By itself and last: it revokes what the others ask with. */
const last = ({ tokens }: World): Role => ({ name: 'admin', token: tokens.admin })

/** Asks in one role; its findings, or null where there is none. */
async function fuzz(command: string, url: string, folder: string, role: Role): Promise<string | null> {
  const words = [
    ...['--config-file', join(folder, 'schemathesis.toml'), '--no-color', 'run', `${url}/api/v1/openapi.json`],
    ...['--seed', seed, '--max-examples', examples, '--max-time', String(role.only ? Math.ceil(seconds / 4) : seconds)],
    ...(role.token ? ['--header', `Authorization: Bearer ${role.token}`] : []),
    ...(role.only ? ['--include-path-regex', role.only] : []),
    ...(role.without ? ['--exclude-path-regex', role.without] : []),
  ]
  const child = spawn(command, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((done) => child.once('close', done))
  const cases = /(\d+) generated/.exec(output)?.[1] ?? 'no'
  say(`${role.name}: ${cases} requests, ${code === 0 ? 'no finding' : `ended with ${code}`}`)
  return code === 0 ? null : output
}

async function main(): Promise<number> {
  const python = await findPython()
  if ('missing' in python) {
    say(`skipped: ${python.missing}`)
    return 0
  }
  let command: string
  try {
    command = await schemathesis(python.path)
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    say(`skipped: Schemathesis cannot be installed: ${stderr.trim().split('\n').at(-1) || message}`)
    return 0
  }
  say(`FUZZ_SEED=${seed} repeats this, ${seconds} s a role`)
  const server = await startServed({ LEASE_MS: '3600000' })
  try {
    const folder = await temporaryFolder()
    await copyFile(join(here, 'schemathesis.toml'), join(folder, 'schemathesis.toml'))
    const world = await exampleWorld(server)
    for (const [name, values] of Object.entries(world.existing)) {
      await writeFile(join(folder, `${name}.dict`), values.map((value) => `"${value}"\n`).join(''))
    }
    const findings: string[] = []
    const ask = async (roles: Role[]) => {
      for (const role of roles) {
        const found = await fuzz(command, server.url, folder, role)
        if (found) findings.push(`As ${role.name}:\n${found}`)
      }
    }
    await Promise.all(lanesOf(world).map(ask))
    await ask([last(world)])
    for (const found of findings) console.log(found)
    return findings.length === 0 ? 0 : 1
  } finally {
    await server.stop()
    await cleanUp()
  }
}

process.exitCode = await main()
