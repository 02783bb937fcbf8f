/** A vitest reporter that ends with one plain line: `N passed, N failed, N skipped`. */
import type { Reporter, TestModule } from 'vitest/node'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    // A file that could not be loaded, or an error outside any test, has no test to be counted under.
    const broken = modules.filter((module) => module.state() === 'failed' && module.children.size === 0).length
    const failed = count('failed') + broken + errors.length
    process.on('exit', () => {
      console.log(`${count('passed')} passed, ${failed} failed, ${count('skipped') + count('pending')} skipped`)
    })
  }
}
