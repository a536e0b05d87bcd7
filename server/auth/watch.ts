import { KerutaError } from '#protocol/errors.ts'
import type { ApiKeys } from './api-keys.ts'
import type { Principal } from './principal.ts'

interface WatchOptions {
  keys: ApiKeys
  now: () => number
  onEnd(error: KerutaError): void
}

/** Longest delay that setTimeout keeps. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Calls `onEnd` once when the principal's key is revoked or its time is over. Returns what ends the watch. */
export function watchEnd(principal: Principal, { keys, now, onEnd }: WatchOptions): () => void {
  let timer: NodeJS.Timeout | undefined
  let open = true
  const { keyId, expiresAt } = principal

  const stop = () => {
    open = false
    unlisten()
    clearTimeout(timer)
  }
  const end = (message: string) => {
    if (!open) return
    stop()
    onEnd(new KerutaError('UNAUTHENTICATED', message))
  }
  const revoked = () => end(`the API key "${principal.name}" was revoked`)
  const unlisten = keys.onRevoked(id => {
    if (id === keyId) revoked()
  })

  function untilExpiry(at: number): void {
    const left = at - now()
    if (left <= 0) end('the token expired; get a new one')
    else timer = setTimeout(() => untilExpiry(at), Math.min(left, MAX_TIMER_MS)).unref()
  }

  queueMicrotask(() => {
    if (open && expiresAt !== null) untilExpiry(expiresAt)
  })
  // A revocation between the authentication and this watch was told to nobody.
  if (keyId !== null) {
    keys.byId(keyId).then(
      key => key?.revokedAt !== null && revoked(),
      () => {},
    )
  }
  return stop
}
