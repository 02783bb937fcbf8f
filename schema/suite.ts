/** Suites: benchmarks that differ only in the class that is to be forgotten, read as one. */
import type { z } from 'zod'
import { type Benchmark, type benchmark, defineBenchmark } from './benchmark.ts'

export interface Suite {
  slug: string
  title: string
  summary: string
  /** One a class, in the order of their labels. */
  benchmarks: Benchmark[]
}

/** Everything of its benchmarks but what follows from the class. */
interface ClassWise extends Omit<z.input<typeof benchmark>, 'slug' | 'title' | 'summary' | 'request'> {
  /** What the slugs begin with: `<family>.class-wise` is the suite, `<family>.class-3` one of its benchmarks. */
  family: string
  title: string
  /** With what is forgotten, such as `class 0 (Trouser)`. */
  summary(forgotten: string): string
  /** Names of all classes, by label. */
  classes: readonly string[]
}

/** Each class of a dataset forgotten in turn. */
export function defineClassWise({ family, title, summary, classes, ...template }: ClassWise): Suite {
  return {
    slug: `${family}.class-wise`,
    title: `${title}, forget each class`,
    summary: summary('each class in turn'),
    benchmarks: classes.map((name, label) =>
      defineBenchmark({
        ...template,
        slug: `${family}.class-${label}`,
        title: `${title}, forget class ${label}`,
        summary: summary(`class ${label} (${name})`),
        request: { kind: 'class', label },
      }),
    ),
  }
}
