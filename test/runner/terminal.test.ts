/** What others wrote moves no cursor: control characters come out by their codes, on terminals as on pages. */
import { expect, test, vi } from 'vitest'
import { note, print, printJson, shown, styled, styledData } from '../../runner/terminal/output.ts'
import { scoresTable } from '../../runner/terminal/scores.ts'
import { table } from '../../runner/terminal/table.ts'
import { visible, visibleInLine } from '../../schema/parts/controls.ts'

/** Written by a stranger: clears the screen, turns what follows about, breaks the line. */
const HOSTILE = 'a\u001b[2J\u009b31m\u007f\u202egnp.exe\u2066\u200f\u061c\u2028b\r'
const SHOWN = 'a\\u001b[2J\\u009b31m\\u007f\\u202egnp.exe\\u2066\\u200f\\u061c\\u2028b\\u000d'

function written(stream: NodeJS.WriteStream, write: () => void): string {
  const spy = vi.spyOn(stream, 'write').mockReturnValue(true)
  write()
  const text = spy.mock.calls.map(([chunk]) => chunk).join('')
  spy.mockRestore()
  return text
}

test('control characters are shown by their codes; line feeds and tabs of text stay', () => {
  expect(visible(`${HOSTILE}\n\tc`)).toBe(`${SHOWN}\n\tc`)
  expect(visibleInLine('a\n\tb')).toBe('a\\u000a\\u0009b')
  expect(visible('Größe 漢字 👩‍🔬 שלום')).toBe('Größe 漢字 👩‍🔬 שלום')
})

test.each([
  ['data', process.stdout, () => print(HOSTILE)],
  ['notes', process.stderr, () => note(HOSTILE)],
  ['styled data', process.stdout, () => print(styledData('red', HOSTILE))],
])('%s go out without them', (_, stream, write) => {
  expect(written(stream, write)).toBe(`${SHOWN}\n`)
})

test('JSON holds them as escapes, so that reading it gives the text back', () => {
  const text = written(process.stdout, () => printJson({ label: HOSTILE }))
  expect(text).not.toMatch(/[^\P{C}\n]|\u2028/u)
  expect(JSON.parse(text)).toEqual({ label: HOSTILE })
})

test('a cell of a table is one line, and its column as wide as it is shown', () => {
  const [head, , first] = table([{ title: 'Label' }, { title: 'n' }], [['a\nb', '1']])
  expect([head, first]).toEqual(['Label     n', 'a\\u000ab  1'])
})

test('our own styles reach a terminal that takes colours; those of others never', () => {
  vi.stubEnv('FORCE_COLOR', '1')
  vi.stubEnv('NO_COLOR', undefined)
  const line = shown(styled('red', `x ${HOSTILE} \u001b[31m`))
  vi.unstubAllEnvs()
  expect(line).toBe(`\u001b[31mx ${SHOWN} \\u001b[31m\u001b[39m`)
})

test('at 60 columns no line of a table is wider, and no value is lost', () => {
  const value = (mean: number, gap: number | null) => ({ mean, sd: 0.12, gap })
  const titles = ['UA', 'RA', 'TA', 'MIA']
  const row = (name: string, gap: number | null) => ({
    rank: '1–2',
    name,
    avgGap: gap === null ? null : { mean: 1.25, sd: 0.5 },
    gapOfMeans: null,
    cells: titles.map((_, at) => value(90 + at, gap)),
    seconds: { mean: 12, sd: 1 },
    fractionOfRetrain: { mean: 0.1, sd: 0 },
    n: 3,
  })
  const scores = {
    columns: titles.map((title) => ({ title })),
    references: [row('Retrain', null)],
    rows: [row('SalUn (a label that is as long as labels may be, sixty or so)', -1.5)],
  }
  const narrow = scoresTable(scores, 60)
  expect(narrow.filter((line) => line.length > 60 && !line.startsWith('Method'))).toEqual([])
  expect(narrow).toContain('UA         90.00 ± 0.12 (−1.50)')
  expect(narrow).toContain('Avg. Gap   1.25 ± 0.50')
  // A file, and a wide terminal, have it whole.
  expect(scoresTable(scores, 200)[0]).toMatch(/^Rank +Method +Avg\. Gap +UA +RA +TA +MIA +Seconds +× Retrain +n$/)
  const long = table(
    [{ title: 'Id' }, { title: 'Address' }],
    [
      ['a', 'x'.repeat(50)],
      ['b', ''],
    ],
    40,
  )
  expect(long).toEqual([`Id       a`, `Address  ${'x'.repeat(50)}`, '', 'Id       b'])
})
