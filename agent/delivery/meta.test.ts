import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readMeta, type SpoolMeta, thisProcess, writeMeta } from './meta.ts'

const META: SpoolMeta = {
  version: 1,
  taskId: 't',
  streamId: 's',
  agentId: 'a',
  apiUrl: '',
  websocketUrl: '',
  owner: thisProcess(),
}

test.runIf(process.platform === 'linux')(
  'The notes of an end have room on a disk that the lines have filled',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'keruta-meta-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const fillDisk = () => symlinkSync('/dev/full', join(dir, 'meta.json.new'))
    writeMeta(dir, META)
    writeMeta(dir, { ...META, endN: 6 })
    fillDisk()
    writeMeta(dir, { ...META, endN: 7, finish: { success: {} } })
    expect(readMeta(dir)).toEqual({ ...META, endN: 7, finish: { success: {} } })
    expect(readdirSync(dir)).toEqual(['meta.json'])
    fillDisk()
    expect(() => writeMeta(dir, META)).toThrow('ENOSPC')
  },
)
