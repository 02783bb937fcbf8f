/** Stylesheets are imported as text, by a rule in wrangler.toml. */
declare module '*.css' {
  const text: string
  export default text
}
