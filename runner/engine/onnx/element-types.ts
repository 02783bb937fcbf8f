/** ONNX's numbers for element types. */
import type { ElementType } from './tensor.ts'

const dataTypes: Record<number, ElementType> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  11: 'float64',
}
export const dataTypeOf = (type: ElementType): number =>
  Number(Object.keys(dataTypes).find((key) => dataTypes[Number(key)] === type))
export function elementTypeOf(dataType: number): ElementType {
  const type = dataTypes[dataType]
  if (!type)
    throw new Error(
      `ONNX element type ${dataType} is not supported; expected one of ${Object.values(dataTypes).join(', ')}`,
    )
  return type
}
