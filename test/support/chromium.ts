/** A browser from npm alone. Elsewhere than on Linux x64, set CHROME_PATH to an installed Chrome. */
import bundled from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

export async function launchChromium(): Promise<Browser> {
  // Makes the package unpack the system libraries that it carries, so that none need be installed.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x'
  const own = process.env.CHROME_PATH
  return chromium.launch({
    executablePath: own ?? (await bundled.executablePath()),
    // The package's own flags run everything in one process, which ends with the first context that is closed.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    headless: true,
  })
}
