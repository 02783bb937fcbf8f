/** Public keys under which anybody can sign are believed nowhere. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { weaknessOf } from '../../schema/parts/edwards25519.ts'
import { newPrivateKey, newPublicKey, type PublicKey, publicKeyOf, sign, verify } from '../../schema/signature.ts'
import {
  aboveP,
  add,
  base64url,
  bytesOf,
  forged,
  IDENTITY,
  L,
  P,
  pointOf,
  smallOrder,
  smallOrderOtherwise,
} from '../support/edwards25519.ts'

const keyOf = (x: string): PublicKey => ({ kty: 'OKP', crv: 'Ed25519', x })

test('the list of weak points is whole: eight points, each of which doubles to (0, 1) in three steps', () => {
  const points = smallOrder.map(({ y, sign }) => pointOf(y, sign)!)
  expect(new Set(points.map(String)).size).toBe(8)
  for (const each of [...points, ...smallOrderOtherwise.map(({ y, sign }) => pointOf(y, sign)!)]) {
    const two = add(each, each)
    const four = add(two, two)
    expect(add(four, four), String(each)).toEqual(IDENTITY)
  }
})

test('points of small order and encodings that are not the shortest are no keys', () => {
  for (const { x } of [...smallOrder, ...smallOrderOtherwise, ...aboveP]) {
    expect(newPublicKey.safeParse(keyOf(x)).success, x).toBe(false)
  }
})

test('other points are keys: fresh ones, and the highest and lowest y of the curve', async () => {
  for (let at = 0; at < 20; at++) expect(weaknessOf((await newPrivateKey()).x)).toBeNull()
  const ys = Array.from({ length: 40 }, (_, at) => [BigInt(at + 2), P - BigInt(at + 2)]).flat()
  const points = ys.filter((y) => pointOf(y, 0n))
  expect(points.length).toBeGreaterThan(20)
  for (const y of points) expect(weaknessOf(base64url(bytesOf(y)))).toBeNull()
})

test('what is no key at all is refused by its form', () => {
  for (const x of ['!'.repeat(43), 'A'.repeat(42), `${'A'.repeat(42)}B`]) {
    expect(newPublicKey.safeParse(keyOf(x)).error?.issues.map(({ message }) => message)).toEqual([
      'expected 32 bytes in base64url',
    ])
  }
})

test('a signature that needs no private key is refused where a key of small order is stored', async () => {
  const text = forged({ alg: 'EdDSA', typ: 'palimpsest-access+jws' }, '{"text":"x"}')
  await expect(verify('access', z.unknown(), text, keyOf(smallOrder[0]!.x))).rejects.toThrow(
    'the key that should have signed the access is not believed: expected a point of large order',
  )
})

test('S is below the order L, so that nobody makes a second signature out of one', async () => {
  const key = await newPrivateKey()
  const text = await sign('access', { text: 'x' }, key)
  const [header, payload, signature] = text.split('.')
  const bytes = new Uint8Array(Buffer.from(signature!, 'base64url'))
  const s = bytes.subarray(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const withS = (other: bigint) => {
    bytes.set(bytesOf(other), 32)
    return verify('access', z.unknown(), `${header}.${payload}.${base64url(bytes)}`, publicKeyOf(key))
  }
  expect(await withS(s)).toEqual({ text: 'x' })
  for (let more = s + L; more < 2n ** 256n; more += L) await expect(withS(more)).rejects.toThrow('does not match')
})

test('a payload that is no JSON, or nested beyond all use, is refused as such', async () => {
  const key = await newPrivateKey()
  const { CompactSign } = await import('jose')
  const signed = (payload: string) =>
    new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'palimpsest-access+jws' })
      .sign(key)
  const read = async (payload: string) => verify('access', z.unknown(), await signed(payload), publicKeyOf(key))
  await expect(read('{"sub":')).rejects.toThrow('the signed access should be JSON: ')
  await expect(read(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)).rejects.toThrow('expected at most 32 levels')
  await expect(read('{"__proto__":{"sub":"x"}}')).rejects.toThrow('__proto__: objects would take it')
})
