/** `palimpsest list`: what this checkout knows. */
import type { Suite } from '../../schema/suite.ts'
import { benchmarks, datasets, lookUp, suites, suiteWith } from '../pipeline/catalogue.ts'
import { runnerTasks } from '../pipeline/tasks.ts'
import { methods, metricsOf, offeredBy, scienceTasks } from '../science/catalogue/catalogue.ts'
import { limitWords } from '../science/limits.ts'
import { isInAvgGap } from '../science/metric.ts'
import { type Parameter, parametersOf } from '../science/parameters.ts'
import { print, printJson, styledData } from '../terminal/output.ts'
import { printSheets, type Sheet } from '../terminal/sheet.ts'
import { paramText } from '../words/command.ts'
import { noSuch } from '../words/nearest.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'

/** What a section lists, as `--json` prints it. */
interface Member {
  id: string
  title: string
  /** Those that it is for; a member without any is for all. */
  tasks?: string[]
  [more: string]: unknown
}

interface Section {
  members(task: string | undefined): Member[]
  /** What follows the id on its line, and the lines under it. */
  words(member: Member): { head: string; under?: string[] }
}

/** Where a sweep looks, in the words that it takes. */
const searchLines = (search: Readonly<Record<string, string | undefined>> = {}): string[] => {
  const words = Object.entries(search).map(([name, text]) => `${name}=${text}`)
  return words.length > 0 ? [`  searched by a sweep: ${words.join(', ')}`] : []
}

const tasks = [...scienceTasks.keys()]

/** Members of one shape, their types kept. */
const section = <M extends Member>(
  members: (task: string | undefined) => M[],
  words: (member: M) => ReturnType<Section['words']>,
) => ({ members, words }) as Section

const classesOf = ({ benchmarks }: Suite) => benchmarks.map(({ slug }) => slug)

const sections: Record<string, Section> = {
  suites: section(
    () =>
      [...suites].map(([id, suite]) => {
        const { title, benchmarks } = suite
        return { id, title, tasks: benchmarks.slice(0, 1).map(({ task }) => task.id), benchmarks: classesOf(suite) }
      }),
    ({ title, benchmarks }) => ({ head: title, under: [`${benchmarks[0]} to ${benchmarks.at(-1)}`] }),
  ),
  benchmarks: section(
    () =>
      [...benchmarks].map(([id, benchmark]) => {
        const { title, summary, seeds, metrics } = benchmark
        return { id, title, tasks: [benchmark.task.id], summary, seeds, metrics }
      }),
    ({ title, summary, seeds, metrics }) => ({
      head: `${title}; ${plural(seeds.length, 'seed')}`,
      under: [summary, metrics.join(', ')],
    }),
  ),
  methods: section(
    (wanted) =>
      [...methods].map(([id, method]) => {
        const { title, summary, version, paper } = method
        const offers = offeredBy(method).filter(({ task }) => wanted === undefined || task === wanted)
        const params = Object.fromEntries(offers.map(({ task, params }) => [task, parametersOf(params)]))
        const search = Object.fromEntries(
          offers.flatMap(({ task }) => (method.on[task]?.search ? [[task, method.on[task].search]] : [])),
        )
        return { id, title, tasks: offers.map(({ task }) => task), summary, version, paper, params, search }
      }),
    ({ summary, params, search }) => ({
      head: summary,
      under: Object.entries(params).flatMap(([task, own]) => [
        `${task}${own.length === 0 ? ': no parameters' : ''}`,
        ...parameterLines(own),
        ...searchLines(search[task]),
      ]),
    }),
  ),
  datasets: section(
    () => [...datasets].map(([id, { title, licence, source }]) => ({ id, title, licence, source })),
    ({ title, source, licence }) => ({ head: `${title}; ${source}`, under: [licence] }),
  ),
  models: section(
    () =>
      [...runnerTasks].flatMap(([task, { architectures }]) =>
        Object.entries(architectures).map(([id, { title, paper, params }]) => ({
          id,
          title,
          tasks: [task],
          paper,
          params: parametersOf(params),
        })),
      ),
    ({ title, tasks, params }) => ({ head: `${title}; ${tasks.join(', ')}`, under: parameterLines(params) }),
  ),
  metrics: section(
    () =>
      tasks.flatMap((task) =>
        [...metricsOf(task)].map(([id, metric]) => ({
          id,
          title: metric.title,
          tasks: [task],
          identity: metric.named,
          definition: metric.definition,
          unit: metric.unit,
          better: metric.better,
          inAvgGap: isInAvgGap(metric),
          ofTwo: metric.against !== undefined,
          limits: limitWords(scienceTasks.get(task)!.limits?.[id]),
        })),
      ),
    ({ title, tasks, identity, definition, unit, better, inAvgGap, ofTwo, limits }) => ({
      head: `${title}; ${tasks.join(', ')}; ${identity}`,
      under: [
        definition,
        [unit && `in ${unit}`, `${better} is better`, inAvgGap && 'in Avg. Gap', ofTwo && 'beside retrain']
          .filter(Boolean)
          .join('; '),
        ...(limits === null ? [] : [limits]),
      ],
    }),
  ),
  'population-metrics': section(
    () =>
      [...scienceTasks].flatMap(([task, { population, limits }]) =>
        Object.entries(population?.metrics ?? {}).map(([id, { title, named, definition, least, parts }]) => ({
          ...{ id, title, tasks: [task], identity: named, definition, least },
          parts: Object.values(parts).map(({ title }) => title),
          limits: limitWords(limits?.[id]),
        })),
      ),
    ({ title, tasks, identity, definition, least, parts, limits }) => ({
      head: `${title}; ${tasks.join(', ')}; ${identity}`,
      under: [
        definition,
        `${parts.join(', ')}; by palimpsest audit, of ${least} models a side and more`,
        ...(limits === null ? [] : [limits]),
      ],
    }),
  ),
}

/** Each with its default and type, then its sentence. */
const parameterLines = (parameters: Parameter[]): string[] =>
  parameters.flatMap(({ name, type, range, default: value, description }) => {
    const shown = value === undefined ? '(must be given)' : `= ${paramText(value)}`
    const first = `  ${name} ${shown}  ${styledData('dim', [type, range].filter(Boolean).join(', '))}`
    return description ? [first, `      ${styledData('dim', description)}`] : [first]
  })

/** A section for other programs: what is said on a member's line. */
const sheetOf = ({ name, members }: { name: string; members: Member[] }): Sheet => ({
  title: titleOf(name),
  columns: [{ title: 'Id' }, { title: 'Title' }, { title: 'Tasks' }, { title: 'Description' }],
  rows: members.map((member) => [
    member.id,
    member.title,
    member.tasks?.join(' ') ?? null,
    sections[name]!.words(member).head,
  ]),
})

const titleOf = (section: string) => `${section[0]!.toUpperCase()}${section.slice(1).replaceAll('-', ' ')}`

interface Options extends FormatOptions {
  task?: string
}

export const list: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('list')
      .description('benchmarks, suites, methods with their parameters, datasets, models and metrics')
      .argument('[section]', `one of ${Object.keys(sections).join(', ')}`)
      .argument('[id]', 'one member of the section')
      .option('--task <task>', `only what is for ${tasks.join(' or ')}`)
      .addOption(formatOption())
      .option('--json', 'as JSON; short for --format json')
      .addHelpText(
        'after',
        help([
          'palimpsest list',
          'palimpsest list methods',
          'palimpsest list methods salun',
          'palimpsest list metrics --task generation',
          'palimpsest list --json',
        ]),
      )
      .action(execute),
}

function execute(name: string | undefined, id: string | undefined, options: Options): void {
  const format = formatOf(options)
  const { task: word } = options
  const known = new Map(Object.entries(sections))
  if (name !== undefined) lookUp('section', known, name)
  const task = tasks.find((task) => task === word)
  if (word !== undefined && !task) throw new UsageError(`--task: ${noSuch('task', word, tasks)}`)
  const chosen = name === undefined ? [...known.keys()] : [name]
  const found = chosen.map((name) => ({ name, members: membersOf(name, id, task) }))
  if (format === 'json') {
    const all = Object.fromEntries(found.map(({ name, members }) => [name, members]))
    printJson(name === undefined ? all : id === undefined ? all[name] : all[name]![0])
    return
  }
  if (format !== 'table') {
    printSheets(found.map(sheetOf), format)
    return
  }
  for (const [index, { name, members }] of found.entries()) {
    if (index > 0) print()
    print(styledData('bold', titleOf(name)))
    // Classes of a suite are told by their suite.
    const shown = name === 'benchmarks' && id === undefined ? members.filter(({ id }) => !suiteWith(id)) : members
    for (const member of shown) {
      const { head, under = [] } = sections[name]!.words(member)
      print(`  ${member.id}  ${head}`)
      for (const line of under) print(`    ${line}`)
    }
  }
}

function membersOf(name: string, id: string | undefined, task: string | undefined): Member[] {
  const all = sections[name]!.members(task)
  const own = all.filter(({ tasks }) => task === undefined || tasks === undefined || tasks.includes(task))
  if (id === undefined) return own
  lookUp(name.replace(/s$/, ''), new Map(all.map((member) => [member.id, member])), id)
  const found = own.filter((member) => member.id === id)
  if (found.length === 0) throw new UsageError(`${id} is not for ${task}; leave --task out to see it`)
  return found
}
