/** How deep an entry's metadata may be nested: what is far deeper could be stored, and then neither be written as JSON nor read. */
export const MAX_METADATA_DEPTH = 64

/** Whether objects and lists lie within each other deeper than `depth`; never looks further than that. */
export function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some(inner => isDeeperThan(inner, depth - 1))
}
