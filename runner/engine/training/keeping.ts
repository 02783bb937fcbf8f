/** What a trainer does with the weights as a whole: keeps them, hands them out, replaces them. */
import type { Kept, TaskTypes, Trainer } from '../../science/method.ts'
import type { Parameter } from '../../science/weights.ts'
import { initialState } from '../nn/initial-state.ts'
import { floats, type Tensor } from '../onnx/tensor.ts'
import type { DescentContext } from './descent.ts'
import { asArrays, asJson } from './outcomes.ts'

type Verbs = 'keep' | 'fresh' | 'hold' | 'select' | 'read' | 'write' | 'restore' | 'reinitialise'

export function keepingOf<T extends TaskTypes>(
  { objective, memory, seed, purpose }: DescentContext<T> & { purpose: string },
  parameters: readonly Parameter[],
): Pick<Trainer<T>, Verbs> {
  const tensorsOf = (values: ReadonlyMap<string, Float32Array>) =>
    new Map(parameters.map((parameter) => [parameter.name, tensorOf(values, parameter)]))
  function keepModel(values: ReadonlyMap<string, Tensor>, given = false): Kept {
    const number = memory.kept.push({ values, given }) - 1
    return {
      number,
      retake(own) {
        memory.kept[number] = own ? { values: tensorsOf(own), given: true } : { values: memory.state, given: false }
      },
    }
  }
  const replace = async (values: () => Iterable<readonly [string, Tensor]>) => {
    await memory.perform(asJson<null>(), async () => {
      memory.state = new Map([...memory.state, ...values()])
      return null
    })
  }
  const fresh = () =>
    initialState({ parameters: [...objective.parameters], buffers: [...objective.buffers] }, seed, `${purpose}/fresh`)

  return {
    keep: () => keepModel(memory.state),
    fresh: () => keepModel(fresh(), true),
    hold: (values) => keepModel(tensorsOf(values), true),
    select: (choose) =>
      new Map(parameters.map((one) => [one.name, new Uint8Array(one.size).fill(choose(one) ? 1 : 0)])),
    read: () =>
      memory.perform(asArrays<Float32Array>('F32'), async () => {
        const copy = (name: string) => Float32Array.from(memory.state.get(name)!.data as Float32Array)
        return new Map(parameters.map(({ name }) => [name, copy(name)]))
      }),
    async write(weights) {
      const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
      const replaced = [...weights.keys()].map((name) => {
        const parameter = known.get(name)
        if (!parameter)
          throw new Error(`write: expected a parameter, got "${name}"; there are ${[...known.keys()].join(', ')}`)
        return [name, tensorOf(weights, parameter)] as const
      })
      await replace(() => replaced)
    },
    restore: ({ number }) => replace(() => memory.kept[number]!.values),
    reinitialise: (choose) =>
      replace(() => {
        const values = fresh()
        return parameters.filter(choose).map(({ name }) => [name, values.get(name)!] as const)
      }),
  }
}

function tensorOf(values: ReadonlyMap<string, Float32Array>, { name, shape, size }: Parameter): Tensor {
  const found = values.get(name)
  if (!found) throw new Error(`expected values for every parameter, got none for ${name}`)
  if (found.length !== size) throw new Error(`expected ${size} values for ${name} [${shape}], got ${found.length}`)
  return floats(shape, Float32Array.from(found))
}
