/** The curve -x² + y² = 1 + d x² y² modulo p, by its definition (RFC 8032, section 5.1), and the keys that nobody should believe. */

export const P = 2n ** 255n - 19n
/** The order of the base point. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (value: bigint) => ((value % P) + P) % P

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}
const inverse = (value: bigint) => power(value, P - 2n)
const D = mod(-121665n * inverse(121666n))

export type Point = readonly [x: bigint, y: bigint]
export const IDENTITY: Point = [0n, 1n]

export function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = D * mod(x1 * x2) * mod(y1 * y2)
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + product)), mod((y1 * y2 + x1 * x2) * inverse(1n - product))]
}

/** The point of that y and that lowest bit of x; null where the curve has none. `y` may be above p, as a lax reader takes it. */
export function pointOf(y: bigint, sign: bigint): Point | null {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n))
  // p = 5 modulo 8: a root is this, or this times the root of -1.
  const candidate = power(square, (P + 3n) / 8n)
  const root = mod(candidate * candidate) === square ? candidate : mod(candidate * power(2n, (P - 1n) / 4n))
  if (mod(root * root) !== square) return null
  return [(root & 1n) === sign ? root : mod(-root), mod(y)]
}

export const bytesOf = (value: bigint): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 255n))

export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** The y of a point of order 8 (Bernstein, Duif, Lange, Schwabe and Yang, https://ed25519.cr.yp.to); the others have -y. */
const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n

export interface Encoded {
  y: bigint
  sign: bigint
  /** As `x` of a JWK. */
  x: string
}
const encoded = (y: bigint, sign: bigint): Encoded => ({ y, sign, x: base64url(bytesOf(y + (sign << 255n))) })
const bothSigns = (ys: bigint[]) => ys.flatMap((y) => [encoded(y, 0n), encoded(y, 1n)])

/** All 8 points whose order divides 8, as RFC 8032 writes them. */
export const smallOrder = [encoded(1n, 0n), encoded(P - 1n, 0n), ...bothSigns([0n, Y8, P - Y8])]
/** The same points as a lax reader takes them too: x = 0 with a sign, and y above p. */
export const smallOrderOtherwise = [encoded(1n, 1n), encoded(P - 1n, 1n), ...bothSigns([P, P + 1n])]
/** Every y that fits 255 bits and isn't below p. */
export const aboveP = bothSigns(Array.from({ length: 19 }, (_, more) => P + BigInt(more)))

/** A signature by the key (0, 1) of any text, without a private key: R = (0, 1) and S = 0 make S·B = R + k·A true for each k. */
export function forged(header: Record<string, unknown>, payload: string): string {
  const encoder = new TextEncoder()
  const signature = new Uint8Array(64)
  signature[0] = 1
  return [encoder.encode(JSON.stringify(header)), encoder.encode(payload), signature].map(base64url).join('.')
}
