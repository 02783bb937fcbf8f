/** Signed documents: what is read is what was signed, and nothing else is. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  fingerprintOf,
  keyIdOf,
  newPrivateKey,
  publicKeyOf,
  SignatureError,
  sign,
  verify,
} from '../../schema/signature.ts'

const shape = z.strictObject({ text: z.string() })

// RFC 8037, appendix A: a key, its thumbprint, and the signature of the text in A.4.
const key = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
} as const

test('the fingerprint of a key is its thumbprint by RFC 8037, appendix A.3', async () => {
  expect(await fingerprintOf(publicKeyOf(key))).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

test('what was signed is what is read, with the name of its key', async () => {
  const text = await sign('job', { text: 'salun' }, key, 'rnr_1')
  expect(await verify('job', shape, text, publicKeyOf(key))).toEqual({ text: 'salun' })
  expect(keyIdOf(text)).toBe('rnr_1')
})

test('one flipped bit anywhere, another key, another purpose and another shape are refused', async () => {
  const text = await sign('result', { text: 'salun' }, key)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1
    const read = verify('result', shape, flipped.toString(), publicKeyOf(key))
    await expect(read, `byte ${at}`).rejects.toThrow(SignatureError)
  }
  const other = publicKeyOf(await newPrivateKey())
  await expect(verify('result', shape, text, other)).rejects.toThrow(/signature of the result does not match/)
  await expect(verify('job', shape, text, publicKeyOf(key))).rejects.toThrow(
    'expected a signature of type palimpsest-job+jws, got palimpsest-result+jws',
  )
  await expect(verify('result', z.strictObject({ n: z.number() }), text, publicKeyOf(key))).rejects.toThrow(
    SignatureError,
  )
})

test('a signature without a key behind it is none', async () => {
  const [, payload] = (await sign('access', { text: 'x' }, key)).split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'palimpsest-access+jws' })).toString('base64url')
  await expect(verify('access', shape, `${header}.${payload}.`, publicKeyOf(key))).rejects.toThrow(SignatureError)
})
