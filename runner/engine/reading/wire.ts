/** Fields that ONNX has had since the library that decodes it was made: the attributes of a function that have defaults. */
import proto from 'onnx-proto'

const { AttributeProto } = proto.onnx
type AttributeProto = InstanceType<typeof AttributeProto>

const [FUNCTIONS, DEFAULTS] = [25, 11]

/** Attributes with defaults, of every function of a model in order. The bytes decode as a model. */
export const defaultsOfFunctions = (model: Uint8Array): AttributeProto[][] =>
  messagesIn(model, FUNCTIONS).map((body) => messagesIn(body, DEFAULTS).map((bytes) => AttributeProto.decode(bytes)))

/** The messages under one field number of a message, by protobuf's encoding: each field is a number and a wire type in one
 *  varint, then its content. */
function messagesIn(bytes: Uint8Array, field: number): Uint8Array[] {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    return value
  }
  const found: Uint8Array[] = []
  while (at < bytes.length) {
    const tag = varint()
    const [number, wireType] = [Math.floor(tag / 8), tag % 8]
    if (wireType === 0) varint()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else if (wireType === 2) {
      const length = varint()
      if (number === field) found.push(bytes.subarray(at, at + length))
      at += length
    } else return found // groups, which ONNX has none of
  }
  return found
}
