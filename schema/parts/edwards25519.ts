/** Which points of edwards25519 may be public keys (RFC 8032, section 5.1). */

const P = 2n ** 255n - 19n
/** d = -121665 / 121666 of the curve -x² + y² = 1 + d x² y². */
const [D_OVER, D_UNDER] = [-121665n, 121666n]

/** 32 bytes in base64url as a number; the first byte is the lowest. */
function littleEndian(base64url: string): bigint {
  const bytes = Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0))
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

/** Why no key is believed: for a point of small order, one signature fits many texts and is made without a private key. Null for
 *  every other. Costs a few products of 256 bits.
 *
 *  The orders that divide 8 are told by y alone: (0, ±1) has the order 1 or 2 and y = 0 the order 4; doubling a point of the order
 *  8 gives y = 0, so x² = -y², which makes the curve's equation d y⁴ + 2 y² = 1. */
export function weaknessOf(x: string): string | null {
  // The highest bit is the sign of the point's x.
  const y = littleEndian(x) % 2n ** 255n
  if (y >= P) return 'expected a y below 2^255 - 19 (RFC 8032, 5.1.3)'
  const square = y ** 2n
  const factors = y * (square - 1n) * (D_OVER * square ** 2n + D_UNDER * (2n * square - 1n))
  return factors % P === 0n ? 'expected a point of large order: under this one anybody can sign; make a new key' : null
}
