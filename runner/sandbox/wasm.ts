/** The engine's WebAssembly, with an end that nothing in it survives. What QuickJS offers itself, an error that no `catch` sees, is
 *  turned into a rejection by any async function; an error of the host's goes through all of its frames. */
import type {
  EmscriptenModuleLoader,
  QuickJSEmscriptenModule,
  QuickJSSyncVariant,
  QuickJSWASMModule,
} from 'quickjs-emscripten-core'

/** TypeScript has it among the types of browsers only. */
declare const WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => never }

const PAGE = 65_536
/** With which the engine begins. */
const INITIAL_PAGES = 256

/** `check` is called again and again while something runs; what it throws ends that, and the module with it. Its memory can't grow
 *  beyond the limit. (QuickJS's own counts nothing here, where it can't ask for the size of what it allocates.) */
export async function openWasm(
  check: () => void,
  { memoryBytes }: { memoryBytes: number },
): Promise<QuickJSWASMModule> {
  // Both come when they are needed: most commands never ask for them.
  const { newQuickJSWASMModuleFromVariant } = await import('quickjs-emscripten-core')
  const found = (await import('@jitl/quickjs-wasmfile-release-sync')) as unknown as { default: QuickJSSyncVariant }
  let opened: QuickJSEmscriptenModule | undefined
  const maximum = Math.max(INITIAL_PAGES, Math.floor(memoryBytes / PAGE))
  const variant: QuickJSSyncVariant = {
    ...found.default,
    async importModuleLoader() {
      const load = (await found.default.importModuleLoader()) as EmscriptenModuleLoader<QuickJSEmscriptenModule>
      return async (options) => {
        opened = await load({ ...options, wasmMemory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum }) })
        return opened
      }
    },
  }
  const module = await newQuickJSWASMModuleFromVariant(variant)
  const { callbacks } = opened!
  const { callFunction } = callbacks
  callbacks.shouldInterrupt = () => {
    check()
    return 0
  }
  callbacks.callFunction = (...given) => {
    const answer = callFunction.apply(callbacks, given)
    check()
    return answer
  }
  return module
}
