/** A JavaScript engine compiled to WebAssembly, of its own for every method: QuickJS by quickjs-emscripten-core, since it interprets in
 *  memory of its own, counts time and memory, and installs without native code. (Node's own vm and permissions are no border
 *  against code that is meant to harm.) Nothing crosses but text and bytes, by copy. */
import type { QuickJSHandle } from 'quickjs-emscripten-core'
import { faultOf, MethodFault, type Thrown } from './fault.ts'
import { ENTRY, fileNamed, textOf } from './files.ts'
import { pack, unpack } from './inside/packing.ts'
import { type Limits, STACK_BYTES, TEXT_CHARACTERS } from './limits.ts'
import { openWasm } from './wasm.ts'

export interface Engine {
  /** Calls one of the functions of inside/entry.ts. Throws what was thrown inside as MethodFault or by `refuse`. */
  call(name: string, numbers: readonly (string | number)[], given?: unknown): unknown
  /** Evaluates the method's file, and calls a function of inside/entry.ts with what it exports. */
  load(text: string, describer: string): unknown
  /** Goes on with what promises wait for. */
  runJobs(): void
  /** Lets nothing run any more; the next turn of the method throws this. */
  stop(fault: MethodFault): void
}

interface EngineOptions {
  /** What errors call the method's file. */
  file: string
  limits: Limits
  /** Answers a verb; what it throws reaches the method as a refused argument. */
  answer(verb: string, given: unknown): unknown
  /** An error of the method as the host's own; undefined for what is a fault. */
  asOwn(thrown: Thrown): Error | undefined
}

type Words = { value?: unknown; thrown?: Thrown }

/** Jobs between two looks at the time. */
const JOBS = 1000

export async function openEngine({ file, limits, answer, asOwn }: EngineOptions): Promise<Engine> {
  const module = await openWasm(() => {
    if (isOver()) throw stopped
  }, limits)
  // Neither is ever disposed of: all they have lies in the memory of the module, which goes with it, in whatever state.
  const runtime = module.newRuntime()
  const vm = runtime.newContext()
  let left = limits.ms
  let end = Number.POSITIVE_INFINITY
  let stopped: MethodFault | undefined
  runtime.setMaxStackSize(STACK_BYTES)
  // Left to openWasm, but without one nothing asks.
  runtime.setInterruptHandler(() => false)
  runtime.setModuleLoader(textOf, fileNamed)

  /** Whether the method's time is up, or it was stopped. */
  function isOver(): boolean {
    if (performance.now() > end)
      stopped ??= new MethodFault(
        'time',
        `${file}: it took more than ${limits.ms / 1000} s of its own time; leave the work on weights and images to the trainer`,
      )
    return stopped !== undefined
  }

  /** Lets the method have its time. */
  function turn<T>(action: () => T): T {
    if (stopped) throw stopped
    const began = performance.now()
    const isOuter = end === Number.POSITIVE_INFINITY
    if (isOuter) end = began + left
    let result: T
    try {
      result = action()
    } catch (error) {
      // Node's own stack came to its end, or the engine trapped, which it does where it is out of memory.
      const message = { RangeError: 'stack overflow', RuntimeError: 'out of memory' }[(error as Error).name]
      if (message !== undefined) stopped ??= faultOf({ name: 'InternalError', message, stack: '' }, file)
      throw stopped ?? error
    } finally {
      if (isOuter) {
        left -= performance.now() - began
        end = Number.POSITIVE_INFINITY
      }
    }
    if (stopped) throw stopped
    return result
  }

  const thrownBy = (thrown: Thrown): Error => asOwn(thrown) ?? faultOf(thrown, file)

  function unwrap(result: { value: QuickJSHandle; error?: undefined } | { error: QuickJSHandle }): QuickJSHandle {
    if (!result.error) return result.value
    const word = (name: string) => {
      const part = vm.getProp(result.error, name)
      return vm.typeof(part) === 'string' ? textIn(part) : ''
    }
    const name = vm.typeof(result.error) === 'object' ? word('name') : ''
    throw thrownBy({ name, message: name ? word('message') : 'something was thrown', stack: name ? word('stack') : '' })
  }

  function textIn(handle: QuickJSHandle): string {
    const length = vm.getProp(handle, 'length').consume((length) => vm.getNumber(length))
    if (length > TEXT_CHARACTERS)
      throw new MethodFault(
        'argument',
        `${file}: expected at most ${TEXT_CHARACTERS} characters at once, got ${length}`,
      )
    return vm.getString(handle)
  }

  /** Text and arrays as the arguments of a call. */
  function handlesOf(value: unknown): QuickJSHandle[] {
    const { json, arrays } = pack(value)
    const buffers = arrays.map((array) => {
      const { buffer, byteOffset, byteLength } = array
      return vm.newArrayBuffer(buffer.slice(byteOffset, byteOffset + byteLength))
    })
    return [vm.newString(json), ...buffers]
  }

  const bytesIn = (handle: QuickJSHandle): ArrayBuffer =>
    vm.getArrayBuffer(handle).consume((memory) => memory.value.slice().buffer as ArrayBuffer)

  /** A list [json, ...buffers] that a function of inside/entry.ts gave. */
  function wordsIn(list: QuickJSHandle): Words {
    const count = vm.getProp(list, 'length').consume((length) => vm.getNumber(length))
    const [json, ...buffers] = Array.from({ length: count }, (_, i) => vm.getProp(list, i))
    const value = wordsOf(textIn(json!), buffers)
    for (const handle of [json!, ...buffers, list]) handle.dispose()
    return value
  }

  function wordsOf(json: string, buffers: QuickJSHandle[]): Words {
    try {
      return Object(unpack({ json, buffers: buffers.map(bytesIn) })) as Words
    } catch (error) {
      throw new MethodFault('argument', `${file}: what it gives can't be read: ${(error as Error).message}`)
    }
  }

  function called(name: string, given: QuickJSHandle[]): unknown {
    const result = unwrap(vm.callFunction(functions[name]!, vm.undefined, given))
    for (const handle of given) handle.dispose()
    if (vm.typeof(result) !== 'object') return undefined
    const { value, thrown } = wordsIn(result)
    if (thrown) throw thrownBy(thrown)
    return value
  }

  const functions: Record<string, QuickJSHandle> = {}
  const enter = vm.newFunction('enter', (verb, json, ...buffers) => {
    let said: unknown
    try {
      const given = unpack({ json: textIn(json!), buffers: buffers.map(bytesIn) })
      said = answer(vm.getString(verb!), given) ?? {}
    } catch (error) {
      said = { fault: (error as Error).message }
    }
    const list = vm.newArray()
    for (const [i, handle] of handlesOf(said).entries()) vm.setProp(list, i, handle)
    return list
  })
  vm.setProp(vm.global, 'enter', enter)
  turn(() => {
    const entry = unwrap(vm.evalCode(textOf(ENTRY), ENTRY, { type: 'module' }))
    for (const name of ['provide', 'describe', 'begin', 'settle', 'invoke']) functions[name] = vm.getProp(entry, name)
  })

  function runJobs(): void {
    turn(() => {
      while (runtime.hasPendingJob() && !isOver()) unwrapJobs(runtime.executePendingJobs(JOBS))
    })
  }
  function unwrapJobs(result: ReturnType<typeof runtime.executePendingJobs>): void {
    if (result.error) unwrap({ error: result.error })
  }

  return {
    call: (name, numbers, given) =>
      turn(() => {
        const first = numbers.map((word) => (typeof word === 'number' ? vm.newNumber(word) : vm.newString(word)))
        return called(name, [...first, ...handlesOf(given)])
      }),
    load(text, describer) {
      const found = turn(() => unwrap(vm.evalCode(text, file, { type: 'module' })))
      runJobs()
      return turn(() => {
        const state = vm.getPromiseState(found)
        if (state.type === 'pending')
          throw new MethodFault('unsettled', `${file}: it waits for something before it has said what it is`)
        const exported = vm.getProp(
          unwrap(state.type === 'rejected' ? { error: state.error } : { value: state.value }),
          'default',
        )
        return called(describer, [exported])
      })
    },
    runJobs,
    stop(fault) {
      stopped ??= fault
    },
  }
}
