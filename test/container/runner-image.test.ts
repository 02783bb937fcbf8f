/** The runner's image in a sealed container: it enrols, completes the jobs of a run, says that it is well, and stops when asked. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Run } from '../../schema/api/run.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

/** Set by `npm run test:container`. */
const image = process.env.RUNNER_IMAGE!
const name = `palimpsest-test-${randomUUID().slice(0, 8)}`
const podman = (...words: string[]) => promisify(execFile)('podman', ['--runtime', 'runc', ...words])
// podman 4 with runc sets limits of its own unless told otherwise, and has no systemd here to time health checks with.
const sealed = ['--no-healthcheck', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
const limits = ['--pids-limit', '256', '--memory', '4g', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096']

let server: Server
let admin: ReturnType<typeof fakeRunner>
beforeAll(async () => {
  server = await startServer()
  admin = fakeRunner(server)
})
afterAll(async () => {
  await podman('rm', '--force', '--ignore', name)
  await server?.stop()
})

const runOf = async (id: string) => (await (await fetch(`${server.url}/api/v1/runs/${id}`)).json()) as Run

test('a runner in a container completes the jobs of a run', async () => {
  const environment = [
    '--env',
    `PALIMPSEST_SERVER=${server.url}`,
    '--env',
    `PALIMPSEST_ENROLMENT=${await admin.invite()}`,
  ]
  const place = ['run', '--detach', '--name', name, '--network', 'host']
  await podman(...place, ...sealed, ...limits, ...environment, image)

  const submitter = await admin.tokenFor('submitter', 'ada')
  const request = { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method: 'retrain', seeds: [0] }
  const { runs } = await admin.submit(submitter, request)
  const { id } = runs[0]!
  let run = await runOf(id)
  while (!['done', 'failed', 'cancelled'].includes(run.state)) {
    await sleep(1000)
    run = await runOf(id)
  }
  expect(run).toMatchObject({ state: 'done', seed: 0 })
  expect(run.stages.map(({ state }) => state)).toEqual(['done', 'done'])

  const { stdout } = await podman('exec', name, 'node', '/palimpsest/runner/palimpsest.js', 'health')
  expect(stdout).toMatch(/^the runner lives; http:\/\/127\.0\.0\.1:\d+ answered \d+ s ago/)
  const { stdout: owner } = await podman('exec', name, 'id', '-u')
  expect(owner.trim()).toBe('10001')
  await podman('stop', '--time', '30', name)
  const { stdout: ended } = await podman('inspect', '--format', '{{.State.ExitCode}}', name)
  expect(ended.trim()).toBe('0')
})

test('there is no compiler in the image', async () => {
  const look = 'for tool in cc gcc c++ g++ clang make ld as npm; do command -v $tool; done; true'
  const { stdout } = await podman('run', '--rm', ...sealed, ...limits, '--entrypoint', '/bin/sh', image, '-c', look)
  expect(stdout).toBe('')
})
