import { KerutaError } from '#protocol/errors.ts'
import type { StoreLocation } from './open.ts'

/** What `open` throws says also which variable names the server's own store. */
export async function namedByVariable<T>({ kind }: StoreLocation, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof KerutaError)) throw error
    const { code, message, retryAfterMs } = error
    const hint = kind === 'mongodb' ? 'DATABASE_URL names it' : 'KERUTA_DATA_DIR names the folder'
    throw new KerutaError(code, `${message.replace(/\.$/, '')}; ${hint}`, { retryAfterMs, cause: error })
  }
}
