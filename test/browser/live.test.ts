/** Live pages in a real browser: what an open page shows of a run, with sockets, without them, and without scripts. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Job } from '../../schema/protocol/lease.ts'
import { launchChromium } from '../support/chromium.ts'
import { fakeRunner, newNonce } from '../support/fake-runner.ts'
import { inventions } from '../support/inventions.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
/** What the page promises. */
const FRESH_MS = 2000

let server: Server
let browser: Browser
let runner: ReturnType<typeof fakeRunner>
let submitter: string
let token: string
beforeAll(async () => {
  ;[server, browser] = await Promise.all([startServer(), launchChromium()])
  runner = fakeRunner(server)
  submitter = await runner.tokenFor('submitter', 'ada')
  token = await runner.tokenFor('runner', 'lab')
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

let seed = 0
/** The page of a new run whose first stage waits, and which has not been loaded again since. */
async function openRun(look: (page: Page, path: string) => Promise<void>, prepare = async (_: Page) => {}) {
  const { runs } = await runner.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [seed++] })
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  try {
    const page = await context.newPage()
    await prepare(page)
    const path = `/runs/${runs[0]!.id}`
    await page.goto(server.url + path)
    await page.evaluate('window.untouched = true')
    await look(page, path)
    expect(await page.evaluate('window.untouched')).toBe(true)
  } finally {
    await context.close()
    await runner.workOff(token, inventions)
  }
}
const isLive = (page: Page) => page.getByText('Live: this page updates by itself').waitFor()
/** From before an event to when the page shows it. */
async function delayOf(event: () => Promise<unknown>, shown: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await event()
  await shown()
  return performance.now() - start
}

test('an open page follows its run to the end within two seconds of each event, without being loaded again', async () => {
  await openRun(async (page) => {
    await isLive(page)
    let job!: Job
    const delays: Record<string, number> = {}
    delays.lease = await delayOf(
      async () => {
        job = (await runner.lease(token))!
      },
      () => page.locator('.heading .running').waitFor(),
    )
    expect(await page.getByRole('status').textContent()).toContain(
      'Running: 0 of 2 stages done; now: Train on the retain set',
    )
    let place = { sequence: 0, offset: 0 }
    for (const line of ['epoch 1 of 8  loss 2.1', '<b>not bold</b>', 'epoch 2 of 8  loss 1.7']) {
      delays[line] = await delayOf(
        async () => {
          // Colours and what a carriage return wrote over are left out.
          place = await runner.say(job, `...\r\u001b[32m${line}\u001b[0m\n`, place)
        },
        () => page.locator('.tail li', { hasText: line }).waitFor(),
      )
    }
    expect(await page.locator('.tail li').allInnerTexts()).toEqual([
      expect.stringMatching(/^1\s*epoch 1 of 8/),
      expect.stringMatching(/^2\s*<b>not bold<\/b>/),
      expect.stringMatching(/^3\s*epoch 2 of 8/),
    ])
    const progress = { phase: 'training', done: 2, total: 8, unit: 'epoch', loss: 1.7 }
    delays.progress = await delayOf(
      async () => {
        job.lease = (
          await runner.verb<{ lease: typeof job.lease }>(job, 'renew', { nonce: newNonce(), progress })
        ).lease
      },
      () => page.getByText('training: epoch 2 of 8, loss 1.7000').waitFor(),
    )
    const failure = { outcome: 'released', reason: 'interrupted', message: 'the runner was stopped', log: null }
    delays.release = await delayOf(
      () => runner.verb(job, 'fail', failure),
      () => page.locator('.stages .running').waitFor({ state: 'detached' }),
    )
    delays.end = await delayOf(
      () => runner.workOff(token, inventions),
      () => page.locator('.heading .done').waitFor(),
    )
    await page.locator('#metrics-caption').waitFor()
    expect(await page.title()).toMatch(/^Done: /)
    expect(await page.locator('.live').count()).toBe(0)
    const late = Object.entries(delays).filter(([, delay]) => delay > FRESH_MS)
    expect(late).toEqual([])
  })
})

test('what happened while the page was offline is there afterwards, each line once', async () => {
  await openRun(async (page) => {
    await isLive(page)
    const job = (await runner.lease(token))!
    const next = await runner.say(job, 'before\n')
    await page.locator('.tail li', { hasText: 'before' }).waitFor()
    await page.context().setOffline(true)
    await page.getByText('Reconnecting').waitFor({ timeout: 5000 })
    const last = await runner.say(job, 'meanwhile\n', next)
    await page.context().setOffline(false)
    await isLive(page)
    await runner.say(job, 'after\n', last)
    await page.locator('.tail li', { hasText: 'after' }).waitFor()
    expect(
      await page.locator('.tail li').evaluateAll((items) => items.map((item) => item.lastChild?.textContent)),
    ).toEqual(['before', 'meanwhile', 'after'])
  })
})

test('where sockets do not come through, the page fetches itself', async () => {
  const refuse = (page: Page) => page.routeWebSocket(/\/live$/, (socket) => socket.close())
  await openRun(async (page) => {
    await runner.lease(token)
    await page.locator('.heading .running').waitFor({ timeout: 20_000 })
  }, refuse)
})

test('a page without scripts reloads itself and shows all the same', async () => {
  const { runs } = await runner.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [seed++] })
  const context = await browser.newContext({ javaScriptEnabled: false })
  try {
    const page = await context.newPage()
    await page.goto(`${server.url}/runs/${runs[0]!.id}`)
    expect(await page.locator('noscript meta').count()).toBe(1)
    await runner.lease(token)
    await page.locator('.heading .running').waitFor({ timeout: 20_000 })
  } finally {
    await context.close()
  }
})
