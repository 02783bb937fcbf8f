/** Reads the references in test/golden/, which other software made. */
import { readFileSync } from 'node:fs'

const url = (path: string) => new URL(`../golden/${path}`, import.meta.url)

export const goldenBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(url(path)))

export const goldenJson = (path: string) => JSON.parse(readFileSync(url(path), 'utf8'))

/** Base64 of little-endian float32. */
export const floatsOf = (base64: string) => new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer)

/** A digit an example. */
export const digitsOf = (text: string) => Uint8Array.from(text, Number)
