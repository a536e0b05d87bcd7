import { randomBytes } from 'node:crypto'
import { chmod, link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KerutaError } from '#protocol/errors.ts'

/** Bytes below which HS256 could be broken by guessing. */
export const MIN_SECRET_BYTES = 32

/** The secret that signs tokens: made once, kept as `secret` in the data folder, readable by its owner alone. */
export async function loadSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret')
  const secret = (await readIfThere(path)) ?? (await create(path))
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new KerutaError(
      'INTERNAL',
      `${path} does not hold a secret of ${MIN_SECRET_BYTES} bytes; delete it and a new one is made (everybody must log in again)`,
    )
  }
  await chmod(path, 0o600)
  return secret
}

export function newSecret(): string {
  return randomBytes(48).toString('base64url')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Written aside and linked: a crash leaves no half of it, and of two servers that start at once both get the same. */
async function create(path: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${newSecret()}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return (await readFile(path, 'utf8')).trim()
}
