/** The sign of life of a runner, as `palimpsest health` reads it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { healthOf, startPulse } from '../../runner/agent/pulse.ts'

const server = 'http://127.0.0.1:8787'
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-pulse-'))
})
afterEach(() => rm(home, { recursive: true }))

const settled = async (healthy: boolean) => {
  for (let i = 0; i < 100 && (await healthOf(home, Date.now())).healthy !== healthy; i++) await sleep(20)
  return healthOf(home, Date.now())
}

test('a home where no runner was started is not healthy', async () => {
  expect(await healthOf(home, Date.now())).toEqual({
    healthy: false,
    words: `no runner has asked for jobs from ${home} yet`,
  })
})

test('a runner is healthy once its server answered', async () => {
  const pulse = startPulse(home, server)
  try {
    await sleep(100)
    expect(await healthOf(home, Date.now())).toMatchObject({
      healthy: false,
      words: expect.stringContaining('not answered yet'),
    })
    pulse.answered()
    expect(await settled(true)).toMatchObject({ healthy: true, words: expect.stringMatching(/answered \d+ s ago/) })
  } finally {
    await pulse.stop()
  }
})

test('a runner that stopped beating, and one whose server is silent, are not healthy', async () => {
  const now = 1_700_000_000_000
  const after = (seconds: number) => healthOf(home, now + seconds * 1000)
  await writeFile(join(home, 'runner-pulse.json'), JSON.stringify({ server, at: now, answeredAt: now }))
  expect(await after(59)).toMatchObject({ healthy: true })
  expect(await after(61)).toEqual({ healthy: false, words: 'the runner is gone or stuck: no beat for 61 s' })
  await writeFile(join(home, 'runner-pulse.json'), JSON.stringify({ server, at: now + 901_000, answeredAt: now }))
  expect(await after(901)).toEqual({ healthy: false, words: `the runner lives, but ${server} answered 901 s ago` })
})

test('a runner that ended says so at once, not after a minute without a beat', async () => {
  const pulse = startPulse(home, server)
  pulse.answered()
  await settled(true)
  await pulse.stop()
  expect(await healthOf(home, Date.now())).toEqual({
    healthy: false,
    words: expect.stringMatching(/^the runner ended \d s ago$/),
  })
  const again = startPulse(home, server)
  again.answered()
  expect(await settled(true)).toMatchObject({ healthy: true })
  await again.stop()
})
