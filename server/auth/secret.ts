import { randomBytes } from 'node:crypto'

/** Bytes below which HS256 could be broken by guessing. */
export const MIN_SECRET_BYTES = 32

export function newSecret(): string {
  return randomBytes(48).toString('base64url')
}
