import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { CopyMark } from '#server/store/store.ts'
import { fileError } from './errors.ts'

const markSchema = z.object({ from: z.string(), done: z.boolean() })

const pathIn = (dataDir: string) => join(dataDir, 'copy.json')

export async function readCopyMark(dataDir: string): Promise<CopyMark | undefined> {
  try {
    return markSchema.parse(JSON.parse(await readFile(pathIn(dataDir), 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fileError(error)
  }
}

export async function writeCopyMark(dataDir: string, mark: CopyMark | undefined): Promise<void> {
  const path = pathIn(dataDir)
  try {
    if (!mark) return await rm(path, { force: true })
    const file = await open(`${path}.part`, 'w', 0o600)
    await file.writeFile(`${JSON.stringify(mark)}\n`)
    await file.sync()
    await file.close()
    await rename(`${path}.part`, path)
  } catch (error) {
    throw fileError(error)
  }
}
