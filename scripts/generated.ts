/** The contract of what `npm run docs` writes. */
export interface Generated {
  path: string
  content: string
  /** What people have to write before it is right, each with where. */
  faults: string[]
}
