/** Images that lie column by column, as MATLAB keeps arrays. */

/** Square planes with rows and columns exchanged. */
export function turned(planes: Uint8Array, side: number): Uint8Array {
  const area = side * side
  const images = new Uint8Array(planes.length)
  for (let plane = 0; plane < planes.length; plane += area) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) images[plane + y * side + x] = planes[plane + x * side + y]!
    }
  }
  return images
}
