/** The bytes of the images in test/golden/datasets/: by the rule that its script states. */

/** `count` images from the one with the number `first`. -> [count, c, h, w] */
export function pixels(first: number, count: number, [channels, height, width]: [number, number, number]): Uint8Array {
  const bytes = new Uint8Array(count * channels * height * width)
  let at = 0
  for (let i = first; i < first + count; i++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) bytes[at++] = (37 * i + 80 * c + 3 * y + 5 * x) % 256
  return bytes
}
