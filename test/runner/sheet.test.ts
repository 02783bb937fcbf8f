/** Tables for spreadsheets, notes and papers. */
import { afterAll, expect, test } from 'vitest'
import { boardSheets } from '../../runner/terminal/board.ts'
import { scoresSheet } from '../../runner/terminal/scores.ts'
import { type Sheet, sheetLines } from '../../runner/terminal/sheet.ts'
import type { Ranking } from '../../schema/api/board.ts'
import { cleanUp, cli } from '../support/cli.ts'

afterAll(cleanUp)

const value = (mean: number, gap: number | null) => ({ mean, sd: 0.125, gap })
const sheet: Sheet = scoresSheet(
  {
    columns: [{ title: 'UA' }, { title: 'KID' }],
    references: [
      {
        name: 'Retrain',
        avgGap: null,
        gapOfMeans: null,
        cells: [value(5, 0), value(1, null)],
        seconds: { mean: 9, sd: 1 },
        fractionOfRetrain: null,
        n: 3,
      },
    ],
    rows: [
      {
        name: 'SalUn (50% & a_b|c)',
        avgGap: { mean: 1 / 3, sd: null },
        gapOfMeans: 0.25,
        cells: [value(-2.999, -7.999), 'not measured'],
        seconds: { mean: 1.5, sd: null },
        fractionOfRetrain: { mean: 1 / 6, sd: null },
        n: 3,
      },
    ],
  },
  { title: 'A board, 100%', legend: ['Mean ± sd.'] },
)

test('CSV has every number in full, a column for each', () => {
  expect(sheetLines(sheet, 'csv')).toEqual([
    'Method,Avg. Gap mean,Avg. Gap sd,Gap of means,UA mean,UA sd,UA gap,KID mean,KID sd,Seconds,× Retrain,n',
    'Retrain,,,,5,0.125,,1,0.125,9,,3',
    `SalUn (50% & a_b|c),${1 / 3},,0.25,-2.999,0.125,-7.999,not measured,,1.5,${1 / 6},3`,
  ])
})

test('Markdown has a table whose cells break no column', () => {
  expect(sheetLines(sheet, 'markdown')).toEqual([
    '**A board, 100%**',
    '',
    '| Method | Avg. Gap | Gap of means | UA | KID | Seconds | × Retrain | n |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    '| Retrain |  |  | 5.00 ± 0.13 | 1.00 ± 0.13 | 9.00 |  | 3 |',
    '| SalUn (50% & a\\_b\\|c) | 0.33 | 0.25 | −3.00 ± 0.13 (−8.00) | not measured | 1.50 | 0.167 | 3 |',
    '',
    'Mean ± sd.',
  ])
})

test('LaTeX has a tabular of booktabs, with everything escaped that LaTeX would read', () => {
  expect(sheetLines(sheet, 'latex')).toEqual([
    '% A board, 100%',
    '% Mean ± sd.',
    '\\begin{tabular}{lrrrrrrr}',
    '\\toprule',
    'Method & Avg. Gap & Gap of means & UA & KID & Seconds & $\\times$ Retrain & n \\\\',
    '\\midrule',
    'Retrain &  &  & $5.00_{\\pm 0.13}$ & $1.00_{\\pm 0.13}$ & $9.00$ &  & $3$ \\\\',
    '\\midrule',
    'SalUn (50\\% \\& a\\_b\\textbar{}c) & $0.33$ & $0.25$ & $-3.00_{\\pm 0.13}$ ($-8.00$) & not measured & $1.50$ & $0.167$ & $3$ \\\\',
    '\\bottomrule',
    '\\end{tabular}',
  ])
  const cell = (text: string) => sheetLines({ columns: [{ title: 'x' }], rows: [[text]] }, 'latex')[4]
  expect(cell('\\input{a}^~$#"<>\n')).toBe(
    '\\textbackslash{}input\\{a\\}\\textasciicircum{}\\textasciitilde{}\\$\\#\\textquotedbl{}\\textless{}\\textgreater{}\\textbackslash{}u000a \\\\',
  )
})

test('a label of a stranger begins no formula and breaks no line in any format', () => {
  const rows = [['=1+1'], ['a\nb']]
  const strange = { columns: [{ title: 'Label' }], rows }
  expect(sheetLines(strange, 'csv')).toEqual(['Label', "'=1+1", '"a\nb"'])
  expect(sheetLines(strange, 'markdown').join('\n')).not.toContain('a\nb')
})

test('a board leaves with its ranks', () => {
  const board = {
    columns: [
      { id: 'ua', title: 'UA', unit: '%', identity: 'ua/accuracy@1', better: 'closer-to-retrain', inAvgGap: true },
    ],
    references: [],
    rows: [
      {
        rank: { low: 1, high: 2 },
        standing: null,
        method: 'ft',
        title: 'FT',
        label: '=a',
        avgGap: { mean: 1, sd: 0, n: 3 },
        gapOfMeans: 1,
        metrics: { ua: { mean: 7, sd: 1, n: 3, gap: -3 } },
        seconds: { mean: 10, sd: 0, n: 3 },
        fractionOfRetrain: { mean: 0.1, sd: 0, n: 3 },
        runs: [],
      },
    ],
    ordering: { by: 'avg-gap', words: '' },
  } as unknown as Ranking
  const [only] = boardSheets(board, 'Title')
  const [head, row] = sheetLines(only!, 'csv')
  expect(head).toMatch(/^Rank,Method,Avg\. Gap mean/)
  expect(row).toBe('1–2,FT (=a),1,0,1,7,1,-3,10,0.1,3')
})

test.each([
  ['csv', /^Id,Title,Tasks,Description\r?\n(?:.*\r?\n)*mia,MIA,classification/m],
  ['markdown', /^\| ua \| UA \| classification \|/m],
  ['latex', /^\\begin\{tabular\}\{llll\}\n\\toprule\nId & Title & Tasks & Description \\\\$/m],
  ['json', /^\[\n {2}\{\n {4}"id": "activation-distance",/],
] as const)('list metrics --format %s', async (format, shape) => {
  const { code, stdout } = await cli(['list', 'metrics', '--task', 'classification', '--format', format])
  expect(code).toBe(0)
  expect(stdout).toMatch(shape)
})

test('two formats at once, and one that there is not, are refused', async () => {
  const two = await cli(['list', '--json', '--format', 'csv'])
  expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('expected one format, got --format csv too')])
  const other = await cli(['list', '--format', 'xml'])
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('table, csv, json, markdown, latex')])
})

test.each(['run', 'board', 'score', 'rescore', 'list'])('%s has --format', async (command) => {
  expect((await cli([command, '--help'])).stdout).toContain('--format <kind>')
})
