/** Ids that clients may choose (`task123`): 1 to 128 of `A-Z a-z 0-9 . _ : -`, not starting with punctuation. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/**
 * A time-ordered UUID (RFC 9562, version 7).
 * @param now milliseconds since the epoch
 * @param random 10 random bytes
 */
export function uuidv7(
  now: number = Date.now(),
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(10)),
): string {
  const time = Math.trunc(now).toString(16).padStart(12, '0')
  const tail = Array.from(random, byte => byte.toString(16).padStart(2, '0')).join('')
  const variant = ((random[2]! & 0x3f) | 0x80).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(1, 4)}-${variant}${tail.slice(6, 8)}-${tail.slice(8, 20)}`
}
