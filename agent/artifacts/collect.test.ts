import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { artifactPathSchema } from '#protocol/artifact.ts'
import { collect } from './collect.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keruta-collect-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const write = (path: string | Buffer, content = 'x') => writeFileSync(path, content)
const at = (...names: string[]) => join(root, ...names)
const pathsIn = async (maxBytes = 1000) => (await collect(root, { maxBytes })).files.map(({ path }) => path)

describe('collect', () => {
  it('finds every file below the folder, hidden ones too, in one order', async () => {
    mkdirSync(at('b', 'c'), { recursive: true })
    for (const path of ['z.txt', '.hidden', 'b/1', 'b/c/2', 'B']) write(at(path))
    expect(await pathsIn()).toEqual(['.hidden', 'B', 'b/1', 'b/c/2', 'z.txt'])
  })

  it('finds nothing where there is no folder', async () => {
    expect(await collect(at('none'), { maxBytes: 1 })).toEqual({ files: [], remarks: [], left: 0 })
  })

  it('leaves out what is too large, and says how large it may be', async () => {
    write(at('small'))
    write(at('large'), '')
    truncateSync(at('large'), 5 * 1024 * 1024)
    const found = await collect(root, { maxBytes: 1024 * 1024 })
    expect(found.files.map(({ path }) => path)).toEqual(['small'])
    expect(found.left).toBe(1)
    expect(found.remarks).toEqual(['large has 5 MB, and KERUTA_MAX_FILE_SIZE is 1 MB: not uploaded'])
  })

  it('follows links within the folder once, and none out of it', async () => {
    mkdirSync(at('dir'))
    write(at('dir', 'real'))
    symlinkSync('dir/real', at('link'))
    symlinkSync('link', at('link to a link'))
    symlinkSync('.', at('loop'))
    symlinkSync('..', at('dir', 'up'))
    symlinkSync('/etc/hostname', at('out'))
    symlinkSync('/etc', at('out too'))
    symlinkSync('nowhere', at('broken'))
    symlinkSync(`${root}-beside`, at('beside'))
    write(`${root}-beside`)
    const { files, remarks, left } = await collect(root, { maxBytes: 1000 })
    rmSync(`${root}-beside`)
    expect(files.map(({ path }) => path)).toEqual(['dir/real', 'link', 'link to a link'])
    expect(remarks).toEqual([
      `beside is a link out of the folder, to ${root}-beside: not uploaded`,
      'broken is a link that leads nowhere: not uploaded',
      'out is a link out of the folder, to /etc/hostname: not uploaded',
      'out too is a link out of the folder, to /etc: not uploaded',
    ])
    expect(left).toBe(0)
  })

  it('works below a link to the folder', async () => {
    mkdirSync(at('real'))
    write(at('real', 'a'))
    symlinkSync('a', at('real', 'b'))
    symlinkSync('real', at('linked'))
    expect((await collect(at('linked'), { maxBytes: 10 })).files.map(({ path }) => path)).toEqual(['a', 'b'])
  })

  it('leaves out what is no file, without waiting for it', async () => {
    execFileSync('mkfifo', [at('pipe')])
    expect(await collect(root, { maxBytes: 1000 })).toMatchObject({
      files: [],
      remarks: ['pipe is no file but a pipe: not uploaded'],
    })
  })

  it('gives every name a path that the server takes, each its own', async () => {
    const deep = at('d'.repeat(200), 'e'.repeat(200), 'f'.repeat(200), 'g'.repeat(200))
    mkdirSync(deep, { recursive: true })
    for (const name of ['1', '2']) write(join(deep, name.repeat(250)))
    for (const name of ['new\nline', 'new\tline', 'back\\slash', '-rf', '..a', ' ', 'ü', '名前.txt'])
      write(at(name))
    write(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x62, 0xff, 0xfe])]))
    const { files, remarks } = await collect(root, { maxBytes: 1000 })
    const paths = files.map(({ path }) => path)
    expect(new Set(paths).size).toBe(11)
    for (const path of paths) expect(artifactPathSchema.safeParse(path).success, path).toBe(true)
    expect(paths).toEqual(
      expect.arrayContaining(['-rf', '..a', ' ', 'ü', '名前.txt', 'back_slash', 'new_line']),
    )
    expect(paths).toContain('b\ufffd\ufffd')
    expect(remarks).toHaveLength(6)
    expect(remarks.join()).not.toContain('\n')
  })

  it('leaves out what was not written since a time', async () => {
    const { files } = await collect(root, { maxBytes: 1000, changedSince: Date.now() })
    expect(files).toEqual([])
    write(at('old'))
    utimesSync(at('old'), 0, 0)
    expect(await collect(root, { maxBytes: 1000, changedSince: Date.now() + 1000 })).toMatchObject({
      files: [],
    })
    const since = await collect(root, { maxBytes: 1000, changedSince: Date.now() - 1000 })
    expect(since.files.map(({ path }) => path)).toEqual(['old'])
  })
})
