/** The lease statements under everything that can happen to them: random interleavings with a fake clock. `npm run
 *  lease-property` tries 100,000 of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaseWorld } from './lease-world.ts'

const RUNS = Number(process.env.LEASE_PROPERTY_RUNS ?? 2000)
/** Set to have a failure made as short as possible, which may take minutes. */
const SHRINK = process.env.LEASE_PROPERTY_SHRINK
const SKEW_MS = 5 * 60_000

/** What happens next, by weight, and three numbers for it to read as it likes. */
const kinds = [
  ...Array(34).fill('resume'),
  ...Array(22).fill('deliver'),
  ...Array(26).fill('act'),
  ...Array(7).fill('wait'),
  ...Array(12).fill('intrude'),
  ...Array(3).fill('alarm'),
  ...Array(2).fill('crash'),
  'cancel',
] as const
const skew = fc.oneof(fc.constant(0), fc.integer({ min: -SKEW_MS, max: SKEW_MS }))
const event = fc.tuple(fc.nat(kinds.length - 1), fc.nat(10_000), fc.nat(10_000), skew)

const world = new LeaseWorld()

async function happen([kind, a, b, off]: [number, number, number, number]): Promise<void> {
  const { waiting, network } = world
  const asked = kinds[kind]!
  // Where there is nothing to resume or deliver, a runner does something.
  const name =
    (asked === 'resume' && waiting.length === 0) || (asked === 'deliver' && network.length === 0) ? 'act' : asked
  if (name === 'resume') world.resume(a)
  else if (name === 'deliver') world.deliver(a, { skew: off, copy: b % 4 === 0, drop: b % 10 === 1 })
  else if (name === 'act') world.act(a, b)
  else if (name === 'intrude') world.intrude(a, b)
  else if (name === 'wait') world.now += b * 15
  else if (name === 'alarm') world.alarm(world.now + off)
  else if (name === 'crash') world.crash(a)
  else world.cancel(a, world.now + off)
  await world.quiet()
  world.watch.check()
}

test(`in ${RUNS} interleavings no lease has two writers, no run is lost and no stale writer is heard`, async () => {
  const begin = performance.now()
  let done = 0
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 80, size: 'max' }), async (events) => {
      world.reset()
      for (const one of events) await happen(one)
      await world.settle()
      done += 1
      if (done % 5000 === 0) {
        console.log(`${done} interleavings, ${((performance.now() - begin) / 1000).toFixed(0)} s`)
      }
    }),
    {
      numRuns: RUNS,
      endOnFailure: SHRINK === undefined,
      interruptAfterTimeLimit: 3_600_000,
      markInterruptAsFailure: true,
    },
  )
  console.log(`${world.accepted} requests were accepted, ${world.refused} refused`)
  // Otherwise the interleavings show nothing.
  expect(world.accepted).toBeGreaterThan(RUNS * 5)
  expect(world.refused).toBeGreaterThan(RUNS / 2)
}, 3_700_000)
