/** Images whose bytes lie in another order than ours, [n, channels, height, width]. */

/** From pixel by pixel. [n, h, w, c] -> [n, c, h, w] */
export function channelsFirst(
  pixels: Uint8Array,
  { count, channels }: { count: number; channels: number },
): Uint8Array {
  const size = pixels.length / count
  const area = size / channels
  const planes = new Uint8Array(pixels.length)
  for (let start = 0; start < pixels.length; start += size) {
    for (let channel = 0; channel < channels; channel++) {
      for (let index = 0; index < area; index++)
        planes[start + channel * area + index] = pixels[start + index * channels + channel]!
    }
  }
  return planes
}

/** From column by column, as MATLAB keeps arrays. Square planes with rows and columns exchanged. */
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
