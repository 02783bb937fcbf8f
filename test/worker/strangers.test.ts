/** Text that strangers wrote: refused at the edge where it is a name, shown by its codes where it is there already. */
import { expect, test } from 'vitest'
import { liveEvent } from '../../worker/views/live-event.tsx'
import { linePieces } from '../../worker/views/log-line.ts'
import {
  ask,
  bindings,
  errorOf,
  fail,
  lease,
  read,
  runner,
  SLUG,
  say,
  submit,
  submitter,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner('ada')

const HOSTILE = 'a\u001b[2J\u202egnp.exe\u2066b\u200f'
const SHOWN = 'a\\u001b[2J\\u202egnp.exe\\u2066b\\u200f'
/** All but line feeds and tabs, which pages are made with. */
const CONTROLS = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

const relabel = (label: string) =>
  bindings.DB.batch([
    bindings.DB.prepare('UPDATE submissions SET label = ?').bind(label),
    bindings.DB.prepare('DELETE FROM boards'),
  ])

test.each(['\u001b[2J', '\u202e', '\u2066', '\u200e', '\u061c', '\u2028', '\u0085', '\n', '\t', '\u007f'])(
  'a label with %j is refused',
  async (character) => {
    const json = { benchmark: SLUG, method: 'ft', seeds: [0], label: `a${character}b` }
    const { status, message } = await errorOf(await ask('/api/v1/submissions', { token: submitter, json }))
    expect([status, message]).toEqual([400, expect.stringContaining('label: expected no control characters')])
  },
)

test('labels in any script are taken', async () => {
  await submit(submitter, { seeds: [0], label: 'שלום, می‌خواهم, 漢字 👩‍🔬' })
})

test('no page holds a control character, whatever labels, logs and failures say', async () => {
  const submission = await submit(submitter, { method: 'retrain', seeds: [0] })
  await relabel(HOSTILE)
  const job = (await lease(runner))!
  const line = `log ${HOSTILE.slice(HOSTILE.indexOf('\u202e'))}\n`
  await say(job, line)
  await read(await fail(job, { outcome: 'failed', reason: 'numeric_divergence', message: `message ${HOSTILE}` }, line))
  const [run] = submission.runs
  const pages = ['/', `/boards/${SLUG}`, '/queue', `/submissions/${submission.id}`, `/runs/${run!.id}`]
  const texts: string[] = []
  for (const path of pages) texts.push(await (await ask(path)).text())
  expect(texts.filter((text) => CONTROLS.test(text))).toEqual([])
  expect(texts.at(-1)).toContain(`log ${SHOWN.slice('a\\u001b[2J'.length)}`)
  expect(texts.at(-1)).toContain(`message ${SHOWN}`)
  expect(texts.at(-1)).toContain(`Retrain ${SHOWN}`)
})

test('the script of an open page draws lines and progress without any', () => {
  const line = HOSTILE.slice(HOSTILE.indexOf('\u202e'))
  const shown = SHOWN.slice(SHOWN.indexOf('\\u202e'))
  expect(linePieces(line, 1, { page: '/runs/1/log/1', prefix: '' }).text).toBe(shown)
  const progress = { phase: line, done: 1, total: 2, unit: 'images', share: 0.5 }
  expect(liveEvent('key', { progress }).progress).toContain(shown)
})

test.each([
  '=1+1',
  '\n=1+1',
  '  =1',
  '\u00a0@a',
  '\u202e+1',
  '\uff1d1+1',
  '\uff0b1',
  '\uff0d1',
  '\uff20a',
  '-1',
  '\tx',
  '\rx',
  '\nx',
])('a cell of %j begins no formula in the CSV of a board', async (label) => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  await relabel(label)
  const csv = await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv`)).text()
  const cell = `'${label}`
  expect(csv).toMatch(/[\n\r]/.test(label) ? `,"${cell}",` : `,${cell},`)
})
