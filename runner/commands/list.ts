/** `palimpsest list`: what this checkout knows. */
import { z } from 'zod'
import type { Suite } from '../../schema/suite.ts'
import { benchmarks, datasets, lookUp, methods, metrics, models, suites, suiteWith } from '../pipeline/catalogue.ts'
import { print, printJson, styledData } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { plural } from '../words/numbers.ts'
import { type Command, help } from './parts/command.ts'

interface Parameter {
  name: string
  type: string
  default: unknown
}

/** A method's or model's parameters, as its schema has them. */
function parametersOf(params: z.ZodType): Parameter[] {
  const { properties = {} } = z.toJSONSchema(params, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    const { type, enum: choices, default: value } = property as z.core.JSONSchema.BaseSchema
    return { name, type: choices ? choices.join(' | ') : String(type), default: value }
  })
}

const classesOf = ({ benchmarks }: Suite) => benchmarks.map(({ slug }) => slug)

const sections = {
  suites: () => [...suites].map(([id, suite]) => ({ id, title: suite.title, benchmarks: classesOf(suite) })),
  benchmarks: () => [...benchmarks].map(([id, { title, seeds, metrics }]) => ({ id, title, seeds, metrics })),
  methods: () =>
    [...methods].map(([id, { title, summary, version, paper, params }]) => ({
      id,
      title,
      summary,
      version,
      paper,
      params: parametersOf(params),
    })),
  datasets: () => [...datasets].map(([id, { title, licence, source }]) => ({ id, title, licence, source })),
  models: () =>
    [...models].map(([id, { title, params }]) => ({ id, title, summary: title, params: parametersOf(params) })),
  metrics: () =>
    [...metrics].map(([id, { title, identity, definition, unit }]) => ({ id, title, identity, definition, unit })),
}
type Section = keyof typeof sections

export const list: Command = (program) =>
  program
    .command('list')
    .description('benchmarks, suites, methods with their parameters, datasets, models and metrics')
    .argument('[section]', `one of ${Object.keys(sections).join(', ')}`)
    .option('--json', 'as JSON')
    .addHelpText('after', help(['palimpsest list', 'palimpsest list methods', 'palimpsest list --json']))
    .action((section: string | undefined, { json }: { json?: boolean }) => {
      const known = new Map(Object.entries(sections))
      if (section !== undefined) lookUp('section', known, section)
      const chosen = (section === undefined ? [...known.keys()] : [section]) as Section[]
      if (json) {
        const values = Object.fromEntries(chosen.map((name) => [name, sections[name]()]))
        printJson(section === undefined ? values : values[section])
        return
      }
      for (const [index, name] of chosen.entries()) {
        if (index > 0) print()
        print(styledData('bold', `${name[0]!.toUpperCase()}${name.slice(1)}`))
        for (const line of linesOf(name)) print(`  ${line}`)
      }
    })

function linesOf(section: Section): string[] {
  if (section === 'methods' || section === 'models') {
    return sections[section]().flatMap((member) => [
      `${member.id}  ${styledData('dim', member.summary)}`,
      ...member.params.map(
        ({ name, type, default: value }) =>
          `    ${name} = ${value === undefined ? '(required)' : value}  ${styledData('dim', type)}`,
      ),
    ])
  }
  const cells = {
    suites: () =>
      sections.suites().map(({ id, title, benchmarks }) => [id, `${title}: ${benchmarks[0]} to ${benchmarks.at(-1)}`]),
    // Those of suites are told by their suite.
    benchmarks: () =>
      sections
        .benchmarks()
        .filter(({ id }) => !suiteWith(id))
        .map(({ id, title, seeds }) => [id, `${title}; ${plural(seeds.length, 'seed')}`]),
    datasets: () => sections.datasets().map(({ id, title, source }) => [id, `${title}; ${source}`]),
    metrics: () => sections.metrics().map(({ identity, definition }) => [identity, definition]),
  }[section]()
  return table([{ title: '' }, { title: '' }], cells).slice(2)
}
