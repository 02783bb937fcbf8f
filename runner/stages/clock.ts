/** Wall-clock seconds since it was started. */
export function startClock(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1000
}
