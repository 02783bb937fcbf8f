/** Colours by role, light and dark. A test holds every pair to its contrast. */

export const light = {
  page: '#ffffff',
  surface: '#f5f6f4',
  rule: '#d9dcdf',
  band: '#e3e5e8',
  /** Decoration only: what was written before. */
  ghost: '#e4e2dd',
  text: '#16191d',
  muted: '#565c64',
  link: '#0a5296',
  visited: '#5f3a94',
  border: '#767d86',
  ok: '#1b6e3a',
  warn: '#8a5200',
  failed: '#b3261e',
  below: '#0068a8',
  above: '#b34700',
  'tint-ok': '#e8f3ec',
  'tint-warn': '#fdf1de',
  'tint-failed': '#fdecea',
  'tint-running': '#e6f0fa',
  'tint-neutral': '#eceef0',
  'mark-0': '#224ac0',
  'mark-1': '#df500c',
  'mark-2': '#2c9a88',
  'mark-3': '#970e75',
  'mark-4': '#584503',
  'mark-5': '#a670f3',
} as const

export type Token = keyof typeof light

export const dark: Record<Token, string> = {
  page: '#14171a',
  surface: '#1d2126',
  rule: '#32383f',
  band: '#2b3138',
  ghost: '#2c2f31',
  text: '#e8eaed',
  muted: '#a9b0b8',
  link: '#8cc4ff',
  visited: '#c9aef5',
  border: '#7d8590',
  ok: '#6fcf8f',
  warn: '#f0b454',
  failed: '#ff8a80',
  below: '#5aaef0',
  above: '#ff9a4d',
  'tint-ok': '#16291d',
  'tint-warn': '#2b2110',
  'tint-failed': '#321a18',
  'tint-running': '#14263a',
  'tint-neutral': '#262b31',
  'mark-0': '#5673f0',
  'mark-1': '#cc572a',
  'mark-2': '#54e8bd',
  'mark-3': '#9c6f97',
  'mark-4': '#ecaa0b',
  'mark-5': '#b6aaff',
}

/** The tokens as CSS custom properties. */
export const customProperties = (colours: Record<Token, string>): string =>
  Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';')
