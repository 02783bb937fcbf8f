/** Fields that ONNX has had since the library that decodes it was made: the attributes of a function that have defaults. */
import proto from 'onnx-proto'
import { fieldsOf } from './bounds.ts'

const { AttributeProto } = proto.onnx
type AttributeProto = InstanceType<typeof AttributeProto>

const [FUNCTIONS, DEFAULTS] = [25, 11]

/** Attributes with defaults, of every function of a model in order. The bytes decode as a model. */
export const defaultsOfFunctions = (model: Uint8Array): AttributeProto[][] =>
  messagesIn(model, FUNCTIONS).map((body) => messagesIn(body, DEFAULTS).map((bytes) => AttributeProto.decode(bytes)))

/** The messages under one field number of a message. */
const messagesIn = (bytes: Uint8Array, number: number): Uint8Array[] =>
  [...fieldsOf(bytes, 0, bytes.length)]
    .filter(({ field }) => field === number)
    .map(({ from, to }) => bytes.subarray(from, to))
