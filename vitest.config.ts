/** Tests by what they need: `worker` runs inside workerd with a real D1 and R2, `node` runs everything else. */
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** The admin token of tests; only its hash reaches the Worker. */
const adminToken = 'pal_admin_test'

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    // Two files at a time also on two processors: most tests wait for processes, and whole runs take half as long.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        plugins: [
          cloudflareTest(async () => {
            // wrangler's [build] command, which the plugin does not run.
            execFileSync(process.execPath, ['scripts/assets.ts'])
            const { FUZZ_SEED, FUZZ_CASES, LEASE_FINISHED_RUNS } = process.env
            const fuzz = { ...(FUZZ_SEED && { FUZZ_SEED }), ...(FUZZ_CASES && { FUZZ_CASES }) }
            const bindings = {
              ADMIN_TOKEN_SHA256: createHash('sha256').update(adminToken).digest('hex'),
              SIGNING_KEY: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
              ...fuzz,
              // Tests run the alarm by hand.
              WAKE_MORE_MS: '600000',
              ...(LEASE_FINISHED_RUNS && { LEASE_FINISHED_RUNS }),
              MIGRATIONS: await readD1Migrations('worker/migrations'),
            }
            return { wrangler: { configPath: './wrangler.toml' }, miniflare: { bindings } }
          }),
        ],
        test: { name: 'worker', include: ['test/worker/**/*.test.{ts,tsx}'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        test: {
          name: 'node',
          include: [
            'test/{schema,runner,sqlite,onnxruntime,protocol,browser}/**/*.test.ts',
            ...(process.env.RUNNER_IMAGE ? ['test/container/**/*.test.ts'] : []),
          ],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
