/** Completion of the command's words, asked as shells ask. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

const ask = async (...words: string[]) => {
  const { code, stdout, stderr } = await cli(['completion', '--words', '--', ...words])
  expect([code, stderr]).toEqual([0, ''])
  return stdout.split('\n').filter(Boolean)
}

test.each([
  [['ru'], ['run', 'runner', 'runners']],
  [['runners', 'dr'], ['drain']],
  [
    ['run', 'x', '--method', 'salun'],
    ['salun', 'salun-noise', 'salun-soft'],
  ],
  [
    ['sweep', 'x', '--methods', 'sal'],
    ['salun', 'salun-noise', 'salun-soft'],
  ],
  [
    ['sweep', '--sampler', ''],
    ['halton', 'random'],
  ],
  [
    ['run', '--device', 'c'],
    ['cpu', 'cuda'],
  ],
  [['board', 'x', '--format', 'm'], ['markdown']],
  [['run', '--method', 'ft', '--see'], ['--seeds']],
  [
    ['run', '--method', 'ft', 'fashion-mnist-5k.small-cnn.r'],
    ['fashion-mnist-5k.small-cnn.random-10', 'fashion-mnist-5k.small-cnn.random-10.probed'],
  ],
  // Where a file may stand, the shell's own completion goes on.
  [['score', '--retrain', ''], []],
  [['score', ''], []],
])('%j is completed by %j', async (words, expected) => {
  expect((await ask(...words)).sort()).toEqual(expected)
})

test('every method is offered, and every command', async () => {
  expect((await ask('submit', 'x', '--method', '')).sort()).toEqual([...methods.keys(), 'all'].sort())
  expect(await ask('')).toEqual(expect.arrayContaining(['quickstart', 'run', 'board', 'completion']))
})

/** What each shell has after a word and the tabulator; the script as it is printed. */
const shells = {
  bash: `source "$1"; COMP_WORDS=(palimpsest run x --method sal); COMP_CWORD=4; _palimpsest; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `compdef() { :; }; compadd() { shift; print -l -- $@; }; source "$1"; words=(palimpsest run x --method sal); CURRENT=5; _palimpsest`,
  fish: `source $argv[1]; complete -C 'palimpsest run x --method sal'`,
}

for (const [shell, script] of Object.entries(shells)) {
  const missing = spawnSync(shell, ['-c', 'true']).error !== undefined
  test.skipIf(missing)(`${shell} completes by the script that is printed for it`, async () => {
    const path = join(await temporaryFolder(), 'script')
    await writeFile(path, (await cli(['completion', shell])).stdout)
    const { stdout, stderr } = spawnSync(shell, ['-c', script, ...(shell === 'fish' ? [] : ['-']), path], {
      encoding: 'utf8',
    })
    expect(stdout.trim().split('\n'), stderr).toEqual(['salun', 'salun-noise', 'salun-soft'])
  })
}

test('a shell that is not known is refused', async () => {
  const { code, stderr } = await cli(['completion', 'bsh'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('no shell "bsh"; did you mean "bash"?; known: bash, zsh, fish'),
  ])
})
