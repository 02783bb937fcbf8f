/** Whose the references are: everybody's, so they are submitted by the server itself and nobody's token ends them. */
export const SERVER = { author: 'palimpsest', tokenId: 'server' } as const
