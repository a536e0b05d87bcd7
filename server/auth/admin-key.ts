import { KerutaError } from '#protocol/errors.ts'
import type { ApiKeys } from './api-keys.ts'

const ADMIN_KEY_ID = 'admin'

/**
 * The first start makes the admin key and answers it, once. A preset is the admin key from this start on, and also restores one
 * that was revoked.
 * @returns undefined where the key is as it was; `created` is false where a preset took another key's place
 */
export async function ensureAdminKey(
  keys: ApiKeys,
  preset?: string,
): Promise<{ key: string; created: boolean } | undefined> {
  if (preset !== undefined) checkPreset(preset)
  const key = await keys.insert(
    { id: ADMIN_KEY_ID, name: 'admin', role: 'admin', sessionIds: null, expiresAt: null },
    preset,
  )
  if (key !== undefined) return { key, created: true }
  if (preset === undefined || !(await keys.replace(ADMIN_KEY_ID, preset))) return undefined
  return { key: preset, created: false }
}

function checkPreset(preset: string): void {
  if (/^[\x21-\x7e]+$/.test(preset)) return
  throw new KerutaError(
    'BAD_REQUEST',
    'KERUTA_ADMIN_KEY must be printable ASCII without spaces, or no header could carry it; `openssl rand -hex 32` makes a good one',
  )
}
