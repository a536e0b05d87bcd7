import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newSecret } from '#server/auth/secret.ts'
import { keepSecret } from './secret.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keruta-secret-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('the secret is made once, stays, and only its owner may read it', async () => {
  const secret = await keepSecret(dir, newSecret())
  expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(32)
  expect(await keepSecret(dir, newSecret())).toBe(secret)
  expect((await stat(join(dir, 'secret'))).mode & 0o777).toBe(0o600)
  expect(await readdir(dir)).toEqual(['secret'])
})

test('servers that start at once get the same', async () => {
  const secrets = await Promise.all(Array.from({ length: 5 }, () => keepSecret(dir, newSecret())))
  expect(new Set(secrets).size).toBe(1)
})

test('a damaged one is refused with what to do', async () => {
  await writeFile(join(dir, 'secret'), 'short\n')
  await expect(keepSecret(dir, newSecret())).rejects.toThrow('delete it and a new one is made')
})
