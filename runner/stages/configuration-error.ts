/** A stage whose spec cannot be carried out: an unknown method, model or metric, another version, a request that the data cannot
 *  meet. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
}
