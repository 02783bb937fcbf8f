/** How much a file unpacks to, counted before it is unpacked: a byte of protobuf can become an object of a hundred. */

const MOST = 2_000_000

/** Fields of ONNX's messages that are lists, and what their entries count: messages count by their own fields too. A node is looked at
 *  by every pass of reading. */
const MESSAGES: Record<string, { parts: number; fields: Record<number, string> }> = {
  model: { parts: 1, fields: { 7: 'graph', 8: 'text', 14: 'text', 20: 'text', 25: 'function' } },
  graph: {
    parts: 1,
    fields: { 1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 13: 'value', 14: 'text', 15: 'sparse' },
  },
  function: { parts: 20, fields: { 4: 'text', 5: 'text', 6: 'text', 7: 'node', 9: 'text', 11: 'attribute' } },
  node: { parts: 20, fields: { 1: 'text', 2: 'text', 5: 'attribute' } },
  attribute: { parts: 2, fields: { 5: 'tensor', 6: 'graph', 8: 'numbers', 9: 'text', 10: 'tensor', 11: 'graph' } },
  tensor: { parts: 2, fields: { 1: 'numbers', 6: 'text', 7: 'numbers', 11: 'numbers', 13: 'text' } },
  sparse: { parts: 2, fields: { 1: 'tensor', 2: 'tensor', 3: 'numbers' } },
  value: { parts: 2, fields: { 2: 'type' } },
  type: { parts: 1, fields: { 1: 'tensorType' } },
  tensorType: { parts: 1, fields: { 2: 'shape' } },
  shape: { parts: 1, fields: { 1: 'text' } },
}

/** Throws for bytes that unpack to more than any classifier has, and for most that are no ONNX. */
export function checkParts(bytes: Uint8Array): void {
  let parts = 0
  const count = (more: number) => {
    parts += more
    if (parts > MOST)
      throw new Error(`the file has more than ${MOST} nodes, names and numbers; no classifier has as many`)
  }
  // A stack of its own: messages can lie in messages to any depth.
  const open = [{ kind: 'model', from: 0, to: bytes.length }]
  for (let part = open.pop(); part; part = open.pop()) {
    const { fields } = MESSAGES[part.kind]!
    for (const { field, from, to } of fieldsOf(bytes, part.from, part.to)) {
      const kind = fields[field]
      if (kind === 'text') count(1)
      // Packed, each takes a byte at least.
      else if (kind === 'numbers') count(Math.max(1, to - from))
      else if (kind !== undefined) {
        count(MESSAGES[kind]!.parts)
        open.push({ kind, from, to })
      }
    }
  }
}

/** Fields of a message, by protobuf's encoding: a number and a wire type in one varint, then the content. */
export function* fieldsOf(bytes: Uint8Array, start: number, end: number) {
  let at = start
  const varint = () => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    return value
  }
  while (at < end) {
    const tag = varint()
    const [field, wireType] = [Math.floor(tag / 8), tag % 8]
    const from = at
    if (wireType === 0) varint()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else if (wireType === 2) {
      const length = varint()
      const content = { field, from: at, to: Math.min(at + length, end) }
      at += length
      yield content
      continue
    } else throw new Error('expected an ONNX model, got bytes of another kind; export one with torch.onnx.export')
    yield { field, from, to: from }
  }
}
