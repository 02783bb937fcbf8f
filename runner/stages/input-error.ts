/** What a stage reads of another stage is missing, damaged or not what it should be: that stage must be computed anew. */
export class InputError extends Error {
  override name = 'InputError'
}

/** By name, since they may come from another module graph. */
const OF_CONTENT = ['StoreError', 'SafetensorsError']

/** Reads what another stage made. Throws InputError where its bytes cannot be had or are not of their form; `what` names them. */
export async function readingInput<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Error) || !OF_CONTENT.includes(error.name)) throw error
    throw new InputError(`${what}: ${error.message}`)
  }
}
