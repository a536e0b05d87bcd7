import type { Principal } from '#server/auth/principal.ts'

const MAX_TIMER_MS = 2_147_483_647

/** The open connections of all transports, so that a revoked or expired token ends them at once. */
export class Connections {
  readonly #open = new Set<{ principal: Principal; close: (reason: string) => void }>()

  /** @returns a function to call when the connection has ended */
  add(principal: Principal, close: (reason: string) => void): () => void {
    const connection = { principal, close }
    this.#open.add(connection)
    const left = principal.expiresAt === null ? Number.POSITIVE_INFINITY : principal.expiresAt - Date.now()
    const timer = left < MAX_TIMER_MS ? setTimeout(close, Math.max(0, left), 'the token has expired') : undefined
    return () => {
      clearTimeout(timer)
      this.#open.delete(connection)
    }
  }

  revoke(keyId: string): void {
    for (const { principal, close } of [...this.#open]) if (principal.keyId === keyId) close('the API key was revoked')
  }

  closeAll(reason: string): void {
    for (const { close } of [...this.#open]) close(reason)
  }
}
