/** The tables of FEATURES.md: members and their facts come from the code, their state from docs/features.json, which people
 *  write. A member without a state is a fault, and so is a state without a member. */
import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import * as datasets from '../runner/data/datasets/index.ts'
import { standardRules } from '../runner/engine/autodiff/differentiate.ts'
import { runnerTasks } from '../runner/pipeline/tasks.ts'
import { offers, scienceTasks } from '../runner/science/catalogue/catalogue.ts'
import type { MethodDefinition } from '../runner/science/method.ts'
import * as methods from '../runner/science/methods/index.ts'
import * as benchmarks from '../schema/benchmarks/index.ts'
import * as suites from '../schema/suites/index.ts'
import { taskNamed } from '../schema/task.ts'
import type { Generated } from './generated.ts'

/** A cell that docs/features.json must fill, may fill, or must leave empty. */
export const wanted = { state: 'wanted' } as const
const note = { state: 'note' } as const
export const none = { state: 'none' } as const
type Cell = string | typeof wanted | typeof note | typeof none

/** Column by column; all rows of a table have the same. */
type Row = Record<string, Cell>

const code = (word: string) => `\`${word}\``
const link = (paper: { title: string; url: string } | null) => (paper ? `[${paper.title}](${paper.url})` : '')

/** A row for each member of a folder, in the order of its barrel. */
const rowsOf = <Member>(members: Record<string, Member>, row: (member: Member) => Row) =>
  Object.entries(members).map(([id, member]) => ({ id, row: row(member) }))

const ofModel = ({ title, paper }: { title: string; paper: { title: string; url: string } | null }) => ({
  title,
  paper: link(paper),
  state: wanted,
})

const tables = {
  datasets: rowsOf(datasets, ({ title, licence }) => ({ title, licence, state: wanted })),
  models: [...runnerTasks.values()].flatMap(({ architectures }) => rowsOf(architectures, ofModel)),
  methods: rowsOf<MethodDefinition>(methods, (method) => ({
    title: method.title,
    paper: link(method.paper),
    ...Object.fromEntries([...scienceTasks.keys()].map((task) => [task, offers(method, task) ? wanted : none])),
    behaviours: note,
  })),
  benchmarks: rowsOf(benchmarks, ({ title }) => ({ title, state: wanted })),
  suites: rowsOf(suites, ({ title }) => ({ title, state: wanted })),
}

/** A table a task, so that a new task needs no place of its own on the page. */
const metricTables = [...scienceTasks].map(([task, { metrics, population }]) => ({
  name: `metrics of ${task}`,
  heading: `${taskNamed(task).title}:`,
  rows: rowsOf({ ...metrics, ...population?.metrics }, ({ title, named }) => ({
    title,
    'identity begins with': code(named),
    state: wanted,
  })),
}))

/** By table and member: a sentence where the table has one column of them, else one a column. */
const STATES = 'docs/features.json'
const statesShape = z.record(
  z.string(),
  z.record(z.string(), z.union([z.string().min(1), z.record(z.string(), z.string().min(1))])),
)
type States = z.infer<typeof statesShape>

const PAGE = 'FEATURES.md'

export async function features(): Promise<Generated> {
  const states = statesShape.parse(JSON.parse(readFileSync(STATES, 'utf8')))
  const faults: string[] = []
  const written = new Map([['gradients', await gradientTable(states.gradients ?? {}, faults)]])
  for (const [name, rows] of Object.entries(tables)) written.set(name, tableOf(name, rows, states[name] ?? {}, faults))
  const tableNames = [...written.keys(), ...metricTables.map(({ name }) => name)]
  const metricLines = metricTables.map(({ name, heading, rows }) => [
    heading,
    '',
    ...tableOf(name, rows, states[name] ?? {}, faults),
  ])
  written.set(
    'metrics',
    metricLines.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])),
  )
  for (const name of Object.keys(states)) {
    if (!tableNames.includes(name))
      faults.push(`${STATES}: there is no table ${name}; there are ${tableNames.join(', ')}`)
  }
  let content = readFileSync(PAGE, 'utf8')
  for (const [name, lines] of written) {
    const [begin, end] = [`<!-- ${name}: by npm run docs -->`, `<!-- end of ${name} -->`]
    const [first, last] = [content.indexOf(begin), content.indexOf(end)]
    if (first < 0 || last < first) faults.push(`${PAGE}: expected ${begin} and, below it, ${end}`)
    else content = `${content.slice(0, first + begin.length)}\n${lines.join('\n')}\n${content.slice(last)}`
  }
  return { path: PAGE, content, faults }
}

export const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell ? ` ${cell} ` : ' ')).join('|')}|`

export function tableOf(
  name: string,
  rows: { id: string; row: Row }[],
  states: States[string],
  faults: string[],
): string[] {
  const columns = Object.keys(rows[0]?.row ?? {})
  const kept = rows.map(({ id, row }) => {
    const given = states[id]
    const stateOf = (column: string) =>
      typeof given === 'object' ? given[column] : column === 'state' ? given : undefined
    const cells = Object.entries(row).map(([column, cell]) => {
      if (typeof cell === 'string') return cell
      const state = stateOf(column)
      if (cell === wanted && !state)
        faults.push(`${STATES}: ${name}, ${id}: expected a word or sentence for "${column}"`)
      if (cell === none && state)
        faults.push(`${STATES}: ${name}, ${id}: has no ${column}, yet its state is "${state}"`)
      return cell === none ? '' : (state ?? '')
    })
    for (const column of typeof given === 'object' ? Object.keys(given) : []) {
      if (typeof row[column] !== 'object')
        faults.push(`${STATES}: ${name}, ${id}: there is no column "${column}" to fill`)
    }
    return line([code(id), ...cells])
  })
  for (const id of Object.keys(states)) {
    if (!rows.some((row) => row.id === id)) faults.push(`${STATES}: ${name}: there is no ${id}; take it out`)
  }
  return [line(['id', ...columns]), `|${'---|'.repeat(columns.length + 1)}`, ...kept]
}

/** Ops by the file of their rule, each perhaps with a note. */
async function gradientTable(notes: States[string], faults: string[]): Promise<string[]> {
  const folder = '../runner/engine/autodiff/gradients/'
  const rest = new Set(Object.keys(standardRules))
  const lines: string[] = []
  for (const file of readdirSync(new URL(folder, import.meta.url)).sort()) {
    if (file === 'index.ts' || !file.endsWith('.ts')) continue
    const rules: Record<string, unknown> = await import(`${folder}${file}`)
    const ops = Object.keys(rules).filter((op) => rules[op] === standardRules[op] && rest.delete(op))
    const noted = ops.map((op) => (typeof notes[op] === 'string' ? `${code(op)} (${notes[op]})` : code(op)))
    lines.push(line([file.replace('.ts', '').replaceAll('-', ' '), noted.join(' ')]))
  }
  for (const op of Object.keys(notes)) {
    if (!(op in standardRules)) faults.push(`${STATES}: gradients: there is no rule for ${op}; take it out`)
  }
  return [line(['family', 'ops']), '|---|---|', ...lines]
}
