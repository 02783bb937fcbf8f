/** The version of this release, as package.json names it: a Worker can't read that file, and a test holds the two together. */
export const release = '0.2.0'
