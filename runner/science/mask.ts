/** Which weights may move: one 0 or 1 per entry of every parameter tensor, by parameter name. */
export type Mask = ReadonlyMap<string, Uint8Array>
