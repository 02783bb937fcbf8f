/** Parts of boards as they lie in the database: read by themselves, replaced together. */
import { and, eq, sql } from 'drizzle-orm'
import { boards } from '../../../schema/tables/boards.ts'
import { type Database, prepared, type Statement } from '../../bindings/database.ts'

/** Characters of one piece; D1 holds 2 MB a row, and a character is at most three bytes. */
const PIECE = 500_000

export interface Part {
  version: string
  json: string
}

export const listed = (values: string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`

/** Pieces of one part of some boards, for `joined`. */
export const piecesOf = (db: Database, part: string, slugs: string[]) =>
  db
    .select()
    .from(boards)
    .where(and(eq(boards.part, part), sql`${boards.slug} IN ${listed(slugs)}`))
    .orderBy(boards.slug, boards.piece)

/** A part of some boards, by slug. */
export const joined = (pieces: (typeof boards.$inferSelect)[]): Map<string, Part> =>
  new Map(
    [...Map.groupBy(pieces, ({ slug }) => slug)].map(([slug, own]) => [
      slug,
      { version: own[0]!.version, json: own.map(({ json }) => json).join('') },
    ]),
  )

interface Replacement {
  slug: string
  /** What is kept now, by whatever release. */
  before: string | null
  version: string
  /** As JSON, by their names. */
  parts: Map<string, string>
  /** What else changes with it. */
  others?: Statement[]
}

/** Puts parts in the place of what is kept, in one transaction, while that is still the version `before`; else changes nothing and
 *  returns false. */
export async function replaceParts(
  db: Database,
  { slug, before, version, parts, others = [] }: Replacement,
): Promise<boolean> {
  const rows = [...parts].flatMap(([part, value]) =>
    inPieces(value).map((json, piece) => ({ part, slug, piece, version, json })),
  )
  // What is no JSON is an error, which ends the transaction.
  const guard = `SELECT json(CASE WHEN (SELECT version FROM boards WHERE part = 'head' AND slug = ? AND piece = 0) IS ?
    THEN 'true' ELSE 'overtaken' END)`
  const statements: Statement[] = [
    db.$client.prepare(guard).bind(slug, before),
    db.delete(boards).where(eq(boards.slug, slug)),
    ...rows.map((row) => db.insert(boards).values(row)),
    ...others,
  ]
  try {
    await db.$client.batch(statements.map((each) => prepared(db, each)))
    return true
  } catch (error) {
    if (/malformed JSON/i.test((error as Error).message)) return false
    throw error
  }
}

/** At least one, and no character is cut. */
function inPieces(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length || at === 0; ) {
    let end = Math.min(text.length, at + PIECE)
    // Between the halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '') && end < text.length) end -= 1
    pieces.push(text.slice(at, end))
    at = Math.max(end, 1)
  }
  return pieces
}
