/** What a method of one file can't do to the process that runs it: each attempt ends in one clear sentence. The trainer here computes
 *  nothing; that weights come out the same is told in test/onnxruntime/one-file.test.ts. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { MethodFault } from '../../runner/sandbox/fault.ts'
import type { Context, Kept, Optimizer, Trainer } from '../../runner/science/method.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { exampleSource, methodIn } from '../support/one-file.ts'

const parameters = [
  { name: 'w', shape: [2, 3], size: 6 },
  { name: 'b', shape: [2], size: 2 },
]
const ones = () => new Map(parameters.map(({ name, size }) => [name, new Float32Array(size).fill(1)]))

/** Answers everything at once, and keeps what it was asked. */
function stubTrainer() {
  const asked: [verb: string, ...given: unknown[]][] = []
  const optimizer: Optimizer<ClassifierTypes> = {
    async descend(terms, span) {
      asked.push(['descend', terms, span])
      return 0.5
    },
    takeAverage: async () => {},
    own: async () => new Float32Array(2),
  }
  const kept = (number: number): Kept => ({ number, retake: () => {} })
  const trainer: Trainer<ClassifierTypes> = {
    parameters,
    sgd: (options) => {
      asked.push(['sgd', options])
      return optimizer
    },
    adam: () => optimizer,
    keep: () => kept(0),
    fresh: () => kept(1),
    hold: () => kept(2),
    mask: async () => new Map(parameters.map(({ name, size }) => [name, new Uint8Array(size).fill(1)])),
    select: () => new Map(),
    gradient: async () => ones(),
    importance: async () => ones(),
    foldGradients: async (_, initial, step) =>
      step(step(initial, new Float32Array(8), 0), new Float32Array(8).fill(2), 1),
    evaluate: async () => new Float32Array(4),
    foldValues: async (_, initial, on, step) => (on(initial, 0) ? step(initial, new Float32Array(4), 0) : initial),
    read: async () => ones(),
    write: async (weights) => void asked.push(['write', weights]),
    restore: async () => {},
    reinitialise: async () => {},
  }
  return { trainer, asked }
}

const definitionOf = (run: string, before = '') => `${before}
export default defineMethod({ title: 'T', summary: 'S.', on: { classification: onClassification({ params: sgd,
async run({ params, trainer, forget, retain, labels, classes, random, verbs }) {
${run}
} }) } })`

const small = { ms: 3000, memoryBytes: 64 * 2 ** 20 }
const optimizer = 'const optimizer = trainer.sgd({ learningRate: 0.1, momentum: 0, weightDecay: 0 })\n'
const term = 'fitLabels(retain, { batchSize: 2 })'

/** Runs the body of `run` on the stub. Gives what the trainer was asked. */
async function ran(body: string, { before, ...limits }: Parameters<typeof methodIn>[1] & { before?: string } = {}) {
  const { trainer, asked } = stubTrainer()
  const { on } = await methodIn(definitionOf(body, before), { ...small, ...limits })
  const { run, params } = on.classification!
  const context: Context<ClassifierTypes, Record<string, unknown>> = {
    ...{ params: params.parse({}), trainer, verbs: { imageShape: [1, 2, 2] } },
    ...{
      forget: Int32Array.of(0, 1),
      retain: Int32Array.of(2, 3, 4),
      forgotten: [],
      labels: new Uint8Array(5),
      classes: 10,
    },
    random: randomStream(0, 'labels'),
  }
  await run(context as never)
  return asked
}
const faultOf = async (promise: Promise<unknown>): Promise<MethodFault> => {
  const error = await promise.then(
    () => new Error('nothing was wrong'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(MethodFault)
  expect((error as Error).message).toMatch(/^mine\.ts/)
  return error as MethodFault
}

test.each<[what: string, kind: string, message: RegExp, body: string]>([
  ['an infinite loop', 'time', /took more than 3 s of its own time/, 'for (;;) {}'],
  ['an infinite loop of promises', 'time', /took more than 3 s/, 'for (;;) await null'],
  ['a loop that catches its end', 'time', /took more than 3 s/, 'for (;;) { try { for (;;) {} } catch {} }'],
  [
    'a loop of functions that survive their end',
    'time',
    /took more than 3 s/,
    'const f = async () => { for (;;) {} }\nfor (;;) f()',
  ],
  ['an expression that never ends', 'time', /took more than 3 s/, "/(a+)+$/.test('a'.repeat(60) + 'b')"],
  ['a memory bomb', 'memory', /took more memory/, 'const all = []\nfor (;;) all.push(new Float64Array(1e5))'],
  [
    'weights that are read and kept',
    'memory',
    /took more memory/,
    'const all = []\nfor (;;) { const m = await trainer.read(); all.push([...m.values()].map((v) => v.buffer), new Uint8Array(4e6)) }',
  ],
  ['deep recursion', 'stack', /too deep/, 'const f = () => f() + 1\nf()'],
  [
    'a nested object as an argument',
    'thrown',
    /more than 12 deep/,
    'let o = {}\nfor (let i = 0; i < 1e4; i++) o = { o }\ntrainer.sgd(o)',
  ],
  ['millions of calls', 'calls', /at most 50 calls of the trainer/, 'for (;;) await trainer.read()'],
  ['calls that nothing waits for', 'calls', /at most 50 calls/, 'for (;;) trainer.read()'],
  [
    'calls without an end',
    'calls',
    /at most 9 calls of the trainer at once; await them/,
    'for (;;) trainer.gradient(fitLabels(retain, { batchSize: 2 }))',
  ],
  [
    'a huge expression',
    'argument',
    /at most 2000 operations/,
    `${optimizer}await optimizer.descend([{ on: { items: retain, batchSize: 2 }, loss({ logits, mean, add }) { let l = mean(logits); for (let i = 0; i < 2001; i++) l = add(l, i); return l } }], { passes: 1 })`,
  ],
  ['an import at run time', 'thrown', /imports nothing/, "await import('node:fs')"],
  ['the host by eval', 'thrown', /'process' is not defined/, "(0, eval)('process.exit(1)')"],
  ['the host by a constructor', 'thrown', /'process' is not defined/, "trainer.read.constructor('return process')()"],
  ['the way out once more', 'thrown', /'enter' is not defined/, "enter('done', '{}')"],
  [
    'a forged kept model',
    'argument',
    /a kept model that the trainer gave, got number 7/,
    'await trainer.restore({ number: 7 })',
  ],
  [
    'a forged kept model in a loss',
    'argument',
    /kept model/,
    `${optimizer}await optimizer.descend([{ on: { items: retain, batchSize: 2 }, loss: ({ logitsOf, mean }) => mean(logitsOf({ of: { number: 3 } })) }], { passes: 1 })`,
  ],
  ['a model that is no number', 'argument', /restore\.kept/, "await trainer.restore({ number: 'x' })"],
  [
    'a learning rate that is no number',
    'argument',
    /learningRate/,
    'trainer.sgd({ learningRate: NaN, momentum: 0, weightDecay: 0 })',
  ],
  [
    'an infinite weight of a term',
    'argument',
    /weight/,
    `${optimizer}await optimizer.descend([{ ...${term}, weight: Infinity }], { passes: 1 })`,
  ],
  [
    'an infinite number of passes',
    'argument',
    /passes/,
    `${optimizer}await optimizer.descend([${term}], { passes: Infinity })`,
  ],
  [
    'no passes and no steps',
    'argument',
    /expected passes or steps/,
    `${optimizer}await optimizer.descend([${term}], {})`,
  ],
  [
    'a batch of a billion',
    'argument',
    /batchSize/,
    `${optimizer}await optimizer.descend([fitLabels(retain, { batchSize: 1e9 })], { passes: 1 })`,
  ],
  [
    'images that are not there',
    'argument',
    /positions from 0 to 4, got 5/,
    `await trainer.gradient(fitLabels(Int32Array.of(5), { batchSize: 2 }))`,
  ],
  [
    'a position below 0',
    'argument',
    /positions from 0 to 4, got -1/,
    `await trainer.gradient(fitLabels(Int32Array.of(-1), { batchSize: 2 }))`,
  ],
  [
    'a huge shape',
    'argument',
    /own/,
    'trainer.sgd({ learningRate: 1, momentum: 0, weightDecay: 0, own: { a: { shape: [1e9, 1e9], values: new Float32Array(1) } } })',
  ],
  [
    'classes without end',
    'argument',
    /classes/,
    `await trainer.evaluate({ items: retain, batchSize: 2 }, ({ labels, oneHot }) => oneHot(labels, 1e9))`,
  ],
  [
    'weights of another size',
    'argument',
    /expected 6 values for w \[2,3\], got 5/,
    "await trainer.write(new Map([['w', new Float32Array(5)]]))",
  ],
  [
    'weights that are no numbers',
    'argument',
    /expected finite values for w, got NaN at 2/,
    "await trainer.write(new Map([['w', Float32Array.of(0, 0, NaN, 0, 0, 0)]]))",
  ],
  [
    'weights of no parameter',
    'argument',
    /names of parameters, got "constructor"/,
    "await trainer.write(new Map([['constructor', new Float32Array(6)]]))",
  ],
  ['weights in an object', 'argument', /write/, 'await trainer.write({ w: new Float32Array(6) })'],
  [
    'a mask that is none',
    'argument',
    /mask/,
    'trainer.sgd({ learningRate: 1, momentum: 0, weightDecay: 0, mask: new Map() })',
  ],
  [
    'a function for a number',
    'thrown',
    /plain data, got a function/,
    'trainer.sgd({ learningRate: () => 1, momentum: 0, weightDecay: 0 })',
  ],
  [
    'a getter that throws',
    'thrown',
    /mine\.ts:4:\d+: no!/,
    "trainer.sgd({ get learningRate() { throw new Error('no!') } })",
  ],
  ['a proxy that throws', 'thrown', /no!/, "trainer.sgd(new Proxy({}, { ownKeys() { throw new Error('no!') } }))"],
  ['something thrown that is no error', 'thrown', /5 was thrown/, 'throw 5'],
  ['an error whose words throw', 'thrown', /no words/, 'throw { get message() { throw 1 }, get name() { throw 2 } }'],
  ['an error with endless words', 'thrown', /x{100}/, "throw new Error('x'.repeat(1e7))"],
  ['a promise that never resolves', 'unsettled', /never comes/, 'await new Promise(() => {})'],
  [
    'a verb that nothing waits for',
    'unsettled',
    /mine\.ts:4:\d+: the method ended before read did; await it/,
    'trainer.read()',
  ],
  ['the clock', 'thrown', /Date is not there/, 'Date.now()'],
  ['chance without a seed', 'thrown', /Math\.random is not there; draw from `random`/, 'Math.random()'],
  ['a mistake', 'thrown', /mine\.ts:5:\d+: TypeError: /, 'let x\nx.y.z'],
  [
    'a gradient of steps that throws',
    'thrown',
    /mine\.ts:4:\d+: oh/,
    `await trainer.foldGradients(${term}, new Float32Array(8), () => { throw new Error('oh') })`,
  ],
  [
    'a state that is no array',
    'argument',
    /state/,
    `await trainer.foldGradients(${term}, new Float32Array(8), () => 'all')`,
  ],
  [
    'replaced functions of the language',
    'thrown',
    /./,
    'JSON.stringify = () => \'{"x":1e999,"__proto__":{"polluted":1}}\'\ntrainer.sgd({})',
  ],
  ['words that are no JSON', 'argument', /./, "JSON.stringify = () => '['.repeat(1e5)\ntrainer.sgd({})"],
  ['words without end', 'argument', /characters at once/, "JSON.stringify = () => 'x'.repeat(18e6)\ntrainer.sgd({})"],
])('%s ends in a sentence', async (what, kind, message, body) => {
  const fault = await faultOf(ran(body, { calls: 50, callsAtOnce: what === 'calls without an end' ? 9 : 1000 }))
  expect(fault.message).toMatch(message)
  expect(fault.message).not.toContain('\n')
  expect(fault.message.length).toBeLessThan(5000)
  expect(fault.kind).toBe(kind)
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test.each<[what: string, kind: string, message: RegExp, text: string | Uint8Array]>([
  ['an import', 'thrown', /imports nothing, got an import of "node:fs"/, "import fs from 'node:fs'\nexport default fs"],
  ['a file that is too long', 'source', /at most 262144 bytes, got 262145/, ' '.repeat(256 * 1024 + 1)],
  ['bytes that are no UTF-8', 'source', /UTF-8/, Uint8Array.of(0x2f, 0x2f, 0xff)],
  ['a zero byte', 'source', /zero byte/, 'a\0'],
  ['no export', 'description', /mine\.ts:1:1: expected `export default defineMethod/, 'const a = 1'],
  [
    'a title of another type',
    'description',
    /mine\.ts:1:\d+: title: /,
    "export default { title: 5, summary: 'S.', on: {} }",
  ],
  [
    'a parameter whose default it refuses',
    'description',
    /mine\.ts:2:\d+: on\.classification\.params\.rate\.default/,
    "export default { title: 'T', summary: 'S.', on: { classification: { run() {}, params: {\nrate: { type: 'number', min: 1, default: 0 } } } } }",
  ],
  [
    'another task',
    'description',
    /the one task/,
    "export default { title: 'T', summary: 'S.', on: { generation: { run() {} } } }",
  ],
  [
    'a method without run',
    'description',
    /function `run`/,
    "export default { title: 'T', summary: 'S.', on: { classification: {} } }",
  ],
  ['a mistake of types', 'source', /mine\.ts:2:10: /, 'const a = 1\nconst b: = 2'],
  ['TypeScript that runs', 'source', /mine\.ts:1:\d+: .*nothing of TypeScript that runs/, 'enum A { B }'],
  ['a loop before it says what it is', 'time', /took more than 3 s/, 'for (;;) {}'],
  [
    'a wait before it says what it is',
    'unsettled',
    /waits for something/,
    'await new Promise(() => {})\nexport default 1',
  ],
  ['a trainer before it runs', 'description', /./, 'export default { get title() { return 1 } }'],
])('%s is refused in a sentence', async (_, kind, message, text) => {
  const fault = await faultOf(methodIn(text, small))
  expect(fault.message).toMatch(message)
  expect(fault.kind).toBe(kind)
})

test('the page shows the example as it is', async () => {
  const page = await readFile(new URL('../../docs/one-file-methods.md', import.meta.url), 'utf8')
  expect(page).toContain(`\`\`\`ts\n${new TextDecoder().decode(await exampleSource('ft'))}\`\`\``)
})

describe('a method that keeps to it', () => {
  test('gets its parameters, and changing them changes nothing outside', async () => {
    const { on } = await methodIn(definitionOf('params.epochs = 99; params.__proto__.x = 1'), small)
    const params = on.classification!.params.parse({})
    expect(params).toMatchObject({ epochs: 10, learningRate: 0.01 })
    await ran('params.epochs = 99; retain[0] = 77; labels[0] = 9')
    expect(params.epochs).toBe(10)
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('draws what the built-in methods draw', async () => {
    const asked = await ran(
      "const n = [random.integer(1000), random.uniform(), random.normal(), ...random.shuffle(retain)]\nawait trainer.write(new Map([['w', Float32Array.from(n)]]))",
    )
    const random = randomStream(0, 'labels')
    const expected = [
      random.integer(1000),
      random.uniform(),
      random.normal(),
      ...random.shuffle(Int32Array.of(2, 3, 4)),
    ]
    expect(asked).toEqual([['write', new Map([['w', Float32Array.from(expected)]])]])
  })

  test('folds gradients, and learns the rates of steps from a function', async () => {
    const asked = await ran(
      `${optimizer}const sum = await trainer.foldGradients(${term}, new Float32Array(8), (sum, g) => sum.map((s, i) => s + g[i] + 1))
await optimizer.descend([${term}], { passes: 1, learningRate: (step) => sum[0] / (step + 1), numbers: { alpha: (step) => step } })`,
    )
    const [, , span] = asked.at(-1)! as [
      string,
      unknown,
      { learningRate(step: number): number; numbers: Record<string, (step: number) => number> },
    ]
    // Two gradients, of zeros and of twos, and one more each time; two steps of three images.
    expect([0, 1].map(span.learningRate)).toEqual([4, 2])
    expect([0, 1].map(span.numbers.alpha!)).toEqual([0, 1])
  })

  test('a rejection that nothing handles harms nothing', async () => {
    await ran("Promise.reject(new Error('lost'))")
  })

  test('writes lines to the log, so many and so long', async () => {
    const lines: string[] = []
    await ran("for (let i = 0; i < 1000; i++) console.log('line', i, 'x'.repeat(1000))", {
      log: (line) => lines.push(line),
      logLines: 3,
    })
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^mine\.ts: line 0 x+$/)
    expect(lines[0]!.length).toBeLessThan(420)
  })

  test('an UnfitError says that the model or data is not for it', async () => {
    await expect(ran("throw new UnfitError('expected a batch norm, found none')")).rejects.toMatchObject({
      name: 'UnfitError',
    })
  })
})
