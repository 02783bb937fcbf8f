/** As much of D1 as drizzle uses, over node:sqlite: the Worker's own statements run here as they are, thousands of times a
 *  second, with a say in what happens between them. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'

type Value = string | number | null

export interface Gate {
  /** Awaited before each statement or batch. */
  before(): Promise<void>
  /** Called after each, in the same turn. */
  after(): void
}

class Statement {
  readonly d1: SqliteD1
  readonly sql: string
  readonly params: Value[]

  constructor(d1: SqliteD1, sql: string, params: Value[] = []) {
    this.d1 = d1
    this.sql = sql
    this.params = params
  }

  bind(...params: unknown[]): Statement {
    return new Statement(
      this.d1,
      this.sql,
      params.map((value) => (typeof value === 'boolean' ? Number(value) : (value as Value))),
    )
  }

  now(arrays = false): unknown[] {
    return this.d1.prepared(this.sql, arrays).all(...this.params)
  }

  run = () => this.d1.gated(() => ({ success: true, results: this.now() }))
  all = this.run
  raw = () => this.d1.gated(() => this.now(true))
  first = () => this.d1.gated(() => this.now()[0] ?? null)
}

export class SqliteD1 {
  readonly database = new DatabaseSync(':memory:')
  gate: Gate = { before: async () => {}, after: () => {} }
  readonly #statements = new Map<string, StatementSync>()

  prepare(sql: string): Statement {
    return new Statement(this, sql)
  }

  /** All or nothing, and nothing in between. */
  batch(statements: Statement[]): Promise<unknown[]> {
    return this.gated(() => {
      this.database.exec('BEGIN')
      try {
        const results = statements.map((statement) => ({ success: true, results: statement.now() }))
        this.database.exec('COMMIT')
        return results
      } catch (error) {
        this.database.exec('ROLLBACK')
        throw error
      }
    })
  }

  async gated<T>(work: () => T): Promise<T> {
    await this.gate.before()
    try {
      return work()
    } finally {
      this.gate.after()
    }
  }

  prepared(sql: string, arrays: boolean): StatementSync {
    const key = `${arrays} ${sql}`
    let statement = this.#statements.get(key)
    if (!statement) {
      statement = this.database.prepare(sql)
      statement.setReturnArrays(arrays)
      this.#statements.set(key, statement)
    }
    return statement
  }
}
