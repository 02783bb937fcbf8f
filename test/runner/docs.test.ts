/** The documents of the repository name only what is there: links lead to files and headings, and paths written as code exist. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const pages = globSync(['*.md', 'docs/**/*.md', '.github/**/*.md', 'runner/**/*.md'], { cwd: root }).sort()
const textOf = (page: string) => readFileSync(join(root, page), 'utf8')
/** Without blocks of code, whose lines are commands and drawings. */
const proseOf = (page: string) => textOf(page).replace(/^```[\s\S]*?^```/gm, '')

/** A heading's anchor as GitHub makes it: lower case, without punctuation, with hyphens for spaces. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
const anchorsOf = (page: string) =>
  Array.from(proseOf(page).matchAll(/^#+ (.+)$/gm), ([, heading]) => anchorOf(heading!))

function faultOf(page: string, link: string): string | null {
  const [path = '', anchor] = link.split('#')
  const target = path ? join(dirname(page), path) : page
  if (!existsSync(join(root, target))) return `${page} links to ${link}, but there is no ${target}`
  if (anchor && !anchorsOf(target).includes(anchor))
    return `${page} links to ${link}, but ${target} has no such heading`
  return null
}

test('every link within the repository leads to a file that is there, and to a heading of it', () => {
  expect(pages).toContain('README.md')
  const faults = pages.flatMap((page) =>
    Array.from(proseOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => faultOf(page, link)),
  )
  expect(faults.filter(Boolean)).toEqual([])
})

/** Of a path with places to fill in, such as `methods/<id>.ts`, what is there already. */
const matches = (path: string) => globSync(path.replace(/<[^>]+>/g, '*'), { cwd: root })

test('every path of the tree that a page names is there', () => {
  const tops = /^(?:schema|worker|runner|scripts|test|docs|\.ci|\.github)\/[\w./<>{},*-]*$/
  const gone = pages.flatMap((page) =>
    Array.from(proseOf(page).matchAll(/`([^`\n]+)`/g), ([, code]) => code!)
      .filter((code) => tops.test(code))
      .filter((code) => matches(code).length === 0)
      .map((code) => `${page} names ${code}`),
  )
  expect(gone).toEqual([])
})

test('decisions are numbered without gaps, and each is listed', () => {
  const records = globSync('docs/decisions/[0-9]*.md', { cwd: root }).map((path) => basename(path))
  expect(records.sort().map((name) => Number(name.slice(0, 4)))).toEqual(records.map((_, index) => index + 1))
  const listed = Array.from(
    textOf('docs/decisions/README.md').matchAll(/\]\((\d{4}-[\w-]+\.md)\)/g),
    ([, name]) => name,
  )
  expect(listed).toEqual(records)
})

test('the guide to methods names every operation and every verb that there is', () => {
  const guide = textOf('docs/methods.md')
  const membersOf = (file: string, name: string) => {
    const [, body = ''] =
      new RegExp(`export interface ${name}[^{]*\\{\\n([\\s\\S]*?)\\n\\}`).exec(
        readFileSync(join(root, file), 'utf8'),
      ) ?? []
    return Array.from(body.matchAll(/^ {2}(?:readonly )?(\w+)[(:?]/gm), ([, member]) => member!)
  }
  const operations = membersOf('runner/science/expression.ts', 'Operations')
  const verbs = membersOf('runner/science/method.ts', 'Trainer').filter((verb) => verb !== 'parameters')
  expect(Math.min(operations.length, verbs.length)).toBeGreaterThan(10)
  expect([...operations, ...verbs].filter((name) => !new RegExp(`\`${name}[\`(]`).test(guide))).toEqual([])
})

test('no command that is shown fetches a package by a name: whoever takes the name would be handed what stands beside it', () => {
  const shown = globSync(
    [
      '*.md',
      'docs/**/*.md',
      '.github/**/*',
      'runner/**/*',
      'worker/**/*.ts*',
      'schema/**/*.ts',
      'scripts/**/*',
      'wrangler.toml',
    ],
    { cwd: root },
  ).filter((path) => /\.(md|ts|tsx|js|sh|yml|yaml|toml)$|Dockerfile$/.test(path) && !/migrations|public\//.test(path))
  expect(shown).toContain('worker/routes/pages/docs.tsx')
  // `npm exec --no` runs what is installed here, or nothing; `npm ci` what the lockfile has the hash of.
  const fetches =
    /\b(npx [-\w$]|npm exec(?! --no -- )|npm (i|install|create|init) [\w@]|(pnpm|yarn) dlx|bunx|pipx? install|uvx)/
  const found = shown.flatMap((path) =>
    textOf(path)
      .split('\n')
      .filter((line) => fetches.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})
