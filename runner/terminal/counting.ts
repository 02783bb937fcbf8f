/** Progress of many small things of one kind: a bar on a terminal, else a line every few seconds. */
import { Presets, SingleBar } from 'cli-progress'
import { count, timeLeft } from '../words/numbers.ts'
import { interactive, note } from './output.ts'

const TELL_EVERY_MS = 5000

export interface Counting {
  /** So many more are done. */
  add(more: number): void
  stop(): void
}

/** `unit` such as `evaluations`. */
export function showCounting(total: number, unit: string): Counting {
  const began = performance.now()
  let done = 0
  let told = began
  const words = () => {
    const left = done > 0 ? timeLeft(((performance.now() - began) / 1000 / done) * (total - done)) : ''
    return `${count(done)}/${count(total)} ${unit}${done < total && left ? ` · ${left}` : ''}`
  }
  const bar = interactive()
    ? new SingleBar({ format: '{bar} {text}', barsize: 20, clearOnComplete: true }, Presets.shades_classic)
    : null
  bar?.start(Math.max(1, total), 0, { text: words() })
  return {
    add(more) {
      done += more
      bar?.update(done, { text: words() })
      if (bar || performance.now() - told < TELL_EVERY_MS) return
      told = performance.now()
      note(words())
    },
    stop: () => bar?.stop(),
  }
}
