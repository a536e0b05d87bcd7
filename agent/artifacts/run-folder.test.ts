import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Config, loadConfig } from '../config.ts'
import { isEmpty, ownFolder, sharedFolder } from './run-folder.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keruta-folder-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const configOf = (env: Record<string, string> = {}): Promise<Config> => loadConfig({}, { HOME: home, ...env })
const named = (path: string) => configOf({ KERUTA_ARTIFACTS_DIR: path })

test('execute has the folder of the settings, made where it is not there', async () => {
  const path = join(home, 'a', 'b')
  expect(sharedFolder(await named(path), 't1')).toEqual({ path, folders: [{ path }], isOwn: false })
  expect(existsSync(path)).toBe(true)
})

test('where it cannot be written, both have one of the base dir, and say why', async () => {
  writeFileSync(join(home, 'file'), '')
  const config = await named(join(home, 'file'))
  for (const [folder, name] of [
    [sharedFolder(config, 't1'), 't1'],
    [ownFolder(config, 't1', 2), 't1.2'],
  ] as const)
    expect(folder).toMatchObject({
      path: join(home, '.keruta', 'artifacts', name),
      isOwn: true,
      trouble: expect.stringMatching(/cannot be written \((EEXIST|ENOTDIR)\): .* is used$/),
    })
})

test('a run of the daemon has a folder of its own, and by default what is written into the shared one since', async () => {
  const path = join(home, 'wanted')
  expect(ownFolder(await named(path), 't1', 1)).toEqual({
    path: join(path, 't1.1'),
    folders: [{ path: join(path, 't1.1') }],
    isOwn: true,
  })
  const before = Date.now()
  const own = ownFolder(await configOf(), 't1', 1)
  expect(own.path).toBe(join(home, '.keruta', 'artifacts', 't1.1'))
  const [, shared] = own.folders
  expect(shared).toEqual({ path: '/.keruta/doc', changedSince: expect.any(Number) })
  expect(shared!.changedSince).toBeGreaterThanOrEqual(before)
})

test('a folder of its own that is empty is gone, others stay', async () => {
  const own = ownFolder(await named(home), 't1', 1)
  mkdirSync(join(own.path, 'x'))
  expect(isEmpty(own)).toBe(false)
  rmSync(join(own.path, 'x'), { recursive: true })
  expect(isEmpty(own)).toBe(true)
  expect(existsSync(own.path)).toBe(false)
  const shared = sharedFolder(await named(join(home, 'shared')), 't1')
  expect(isEmpty(shared)).toBe(true)
  expect(existsSync(shared.path)).toBe(true)
})
