/** Every page in a real browser, at several widths: layout, contrast, keyboard, charts, and what it asks of whom. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunListItem } from '../../schema/api/run.ts'
import { launchChromium } from '../support/chromium.ts'
import { fakeRunner, wholeLog } from '../support/fake-runner.ts'
import { inventions } from '../support/inventions.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const GENERATION = 'fashion-mnist-5k-16.ddpm-unet.class-0'
const SUITE = 'fashion-mnist-5k.small-cnn.class-wise'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let server: Server
let browser: Browser
let paths: Record<string, string>

beforeAll(async () => {
  ;[server, browser] = await Promise.all([startServer(), launchChromium()])
  const runner = fakeRunner(server)
  const [submitter, token] = [await runner.tokenFor('submitter', 'ada'), await runner.tokenFor('runner', 'lab')]
  const generated = await runner.submit(submitter, { benchmark: GENERATION, method: 'salun' })
  for (const method of ['original', 'ft', 'ga', 'esd'])
    await runner.submit(submitter, { benchmark: GENERATION, method })
  for (const method of ['original', 'salun', 'ft', 'ga']) await runner.submit(submitter, { benchmark: SLUG, method })
  await runner.workOff(token, inventions)
  const suite = await runner.submit(submitter, { benchmark: SUITE, method: 'salun', seeds: [0] })
  await runner.submit(submitter, { benchmark: SUITE, method: 'ft', seeds: [0] })
  await runner.workOff(token, inventions, 60)
  // One failed and one waiting run, so that every state is on some page.
  const unfinished = await runner.submit(submitter, {
    benchmark: SLUG,
    method: 'ft',
    params: { epochs: 9 },
    label: '9 epochs',
    seeds: [0, 1],
  })
  const job = (await runner.lease(token))!
  const log = 'epoch 1 of 9\nthe loss is NaN\n'
  await runner.say(job, log)
  const failure = { outcome: 'failed', reason: 'numeric_divergence', message: 'the loss was NaN at step 14' }
  await runner.verb(job, 'fail', { ...failure, log: wholeLog(log) })
  const { runs } = (await (await fetch(`${server.url}/api/v1/runs?method=salun&benchmark=${SLUG}`)).json()) as {
    runs: RunListItem[]
  }
  paths = {
    // An address is as long a word as somebody makes it.
    'nothing here': `/runs/${'a'.repeat(64)}`,
    home: '/',
    board: `/boards/${SLUG}?live=0`,
    'empty board': '/boards/cifar10.resnet18.random-10',
    suite: `/suites/${SUITE}?live=0`,
    'empty suite': '/suites/cifar10.ddpm-unet.class-wise',
    'submission to a suite': `/submissions/${suite.id}?live=0`,
    run: `/runs/${runs[0]!.id}`,
    'generation board': `/boards/${GENERATION}?live=0`,
    'generation run': `/runs/${generated.runs[0]!.id}`,
    'failed run': `/runs/${unfinished.runs[0]!.id}`,
    log: `/runs/${unfinished.runs[0]!.id}/log/1`,
    'waiting run': `/runs/${unfinished.runs[1]!.id}?live=0`,
    submission: `/submissions/${unfinished.id}?live=0`,
    methods: '/methods',
    method: '/methods/salun',
    queue: '/queue?live=0',
    docs: '/docs',
    'not found': '/nowhere',
  }
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function visit<T>(
  options: Parameters<Browser['newContext']>[0],
  look: (page: Page, context: BrowserContext) => Promise<T>,
) {
  const context = await browser.newContext(options)
  try {
    return await look(await context.newPage(), context)
  } finally {
    await context.close()
  }
}

const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }

describe.each(Object.entries(sizes))('on a %s', (_, viewport) => {
  test('no page is wider than the window', async () => {
    await visit({ viewport }, async (page) => {
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(server.url + path)
        const width = await page.evaluate('document.documentElement.scrollWidth')
        expect(`${name}: ${width}`).toBe(`${name}: ${viewport.width}`)
      }
    })
  })

  test.each(['light', 'dark'] as const)('axe finds nothing wrong in the %s theme', async (colorScheme) => {
    await visit({ viewport, colorScheme, bypassCSP: true }, async (page) => {
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(server.url + path)
        await page.evaluate(`${axe};0`)
        const violations = (await page.evaluate(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | ')))`,
        )) as string[]
        expect({ name, violations }).toEqual({ name, violations: [] })
      }
    })
  })

  test('chart text is at least 12 px, inside its chart, and overlaps no other', async () => {
    await visit({ viewport }, async (page) => {
      for (const name of ['board', 'suite', 'generation board', 'run']) {
        await page.goto(server.url + paths[name])
        await page.evaluate('document.fonts.ready.then(() => 0)')
        const problems = (await page.evaluate(`(() => {
          const found = []
          const charts = [...document.querySelectorAll('svg.chart')].filter((svg) => svg.getBoundingClientRect().width > 0)
          if (charts.length === 0) found.push('no chart')
          for (const svg of charts) {
            const frame = svg.getBoundingClientRect()
            const boxes = [...svg.querySelectorAll('text')].map((text) => ({ text, box: text.getBoundingClientRect() }))
            for (const { text, box } of boxes) {
              const words = text.textContent
              if (parseFloat(getComputedStyle(text).fontSize) * (frame.width / svg.viewBox.baseVal.width) < 12) found.push('small: ' + words)
              if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) found.push('cut: ' + words)
            }
            boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
              const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left)
              const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top)
              if (across > 1 && down > 4) found.push('overlap: ' + a.text.textContent + ' / ' + b.text.textContent)
            }))
          }
          return found
        })()`)) as string[]
        expect({ name, problems }).toEqual({ name, problems: [] })
      }
    })
  })
})

test('a board is sorted by its buttons with scripts off', async () => {
  await visit({ javaScriptEnabled: false, viewport: sizes.desktop }, async (page) => {
    await page.goto(`${server.url}/boards/${SLUG}?live=0`)
    const methods = () => page.locator('.board tbody:last-child th a[href^="/methods/"]').allTextContents()
    // Made-up gaps put SalUn first; by |gap| of MIA it stays first, descending it comes last but for rows without a value.
    expect((await methods())[0]).toBe('SalUn')
    await page.getByRole('button', { name: 'MIA' }).click()
    await page.waitForURL(/sort=mia/)
    expect((await methods())[0]).toBe('SalUn')
    await page.getByRole('button', { name: 'MIA' }).click()
    await page.waitForURL(/sort=-mia/)
    expect((await methods()).slice(0, 3)).toEqual(['FT', 'GA', 'SalUn'])
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
  })
})

test('a keyboard reaches every link with a visible outline, beginning with the skip link', async () => {
  await visit({ viewport: sizes.desktop }, async (page) => {
    await page.goto(server.url + paths.run)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    let stops = 0
    for (; stops < 100; stops++) {
      const stopped: string = await page.evaluate(
        `(({ outerHTML }, { outlineStyle }) => outlineStyle + ' ' + outerHTML.slice(0, 80))(document.activeElement, getComputedStyle(document.activeElement))`,
      )
      // After the last stop the focus is back on the document.
      if (stopped.includes('<body>')) break
      expect(stopped).toMatch(/^solid/)
      await page.keyboard.press('Tab')
    }
    expect(stops).toBeGreaterThan(15)
  })
})

test('a line number is a link that shows its line', async () => {
  await visit({ viewport: sizes.desktop }, async (page) => {
    await page.goto(server.url + paths['failed run'])
    await page.getByRole('link', { name: 'Line 2', exact: true }).click()
    await page.waitForURL(/\/log\/\d\?page=1#L2$/)
    expect(await page.locator('li:target').innerText()).toContain('the loss is NaN')
  })
})

test('pages ask nobody but their own server, also the API documentation, which draws itself', async () => {
  await visit({ viewport: sizes.desktop }, async (page) => {
    const foreign: string[] = []
    const errors: string[] = []
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(server.url) && !url.startsWith('data:')) foreign.push(url)
    })
    page.on('pageerror', (error) => errors.push(error.message))
    for (const path of Object.values(paths)) await page.goto(server.url + path)
    await page.goto(`${server.url}/docs/api`)
    await page.locator('.swagger-ui').getByText('Lease the next job').waitFor()
    expect({ foreign, errors }).toEqual({ foreign: [], errors: [] })
    expect(await page.evaluate(`document.fonts.check('16px "Source Sans 3"')`)).toBe(true)
  })
})

test('pictures of samples are drawn, as large as the page says, at a whole multiple of their pixels', async () => {
  await visit({ viewport: sizes.phone }, async (page) => {
    await page.goto(server.url + paths['generation run'])
    const pictures = await page.evaluate(
      `[...document.querySelectorAll('.grid img')].map((image) => [image.naturalWidth, image.width, image.getBoundingClientRect().width])`,
    )
    // Ten images of 16 pixels, three times as large with 2 pixels between; shown at two thirds.
    expect(pictures).toEqual(Array(3).fill([498, 332, 332]))
  })
})
