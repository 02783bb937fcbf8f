/** Writes what of the documentation follows from the code: the tables of FEATURES.md, the page of ONNX ops, and the drawing of the rooms. With --check it
 *  writes nothing and fails when one is out of date. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { features } from './features.ts'
import { onnxOps } from './onnx-ops.ts'
import { rooms } from './rooms.ts'

const faults: string[] = []
for (const { path, content, faults: own } of [await features(), onnxOps(), rooms()]) {
  faults.push(...own)
  if (existsSync(path) && readFileSync(path, 'utf8') === content) continue
  if (process.argv.includes('--check')) faults.push(`out of date: ${path}; run npm run docs`)
  else writeFileSync(path, content)
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}
