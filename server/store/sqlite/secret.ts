import { randomBytes } from 'node:crypto'
import { chmod, link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KerutaError } from '#protocol/errors.ts'

const LEAST_BYTES = 32

/** Keeps `made` as `secret` in the data folder, readable by its owner alone, unless one is there. @returns the one that is there */
export async function keepSecret(dataDir: string, made: string): Promise<string> {
  const path = join(dataDir, 'secret')
  const secret = (await readSecret(dataDir)) ?? (await create(path, made))
  await chmod(path, 0o600)
  return secret
}

/** @throws KerutaError where the file holds none */
export async function readSecret(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, 'secret')
  const secret = await readIfThere(path)
  if (secret === undefined || Buffer.byteLength(secret) >= LEAST_BYTES) return secret
  throw new KerutaError(
    'INTERNAL',
    `${path} does not hold a secret of ${LEAST_BYTES} bytes; delete it and a new one is made (everybody must log in again)`,
  )
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
async function create(path: string, made: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${made}\n`)
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
