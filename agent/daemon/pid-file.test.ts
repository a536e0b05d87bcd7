import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ownerOf, thisProcess } from '../delivery/meta.ts'
import { holdPidFile } from './pid-file.ts'

let home: string
const record = () => join(home, 'daemons', `s@${hostname()}.json`)
const write = (text: string) => {
  mkdirSync(join(home, 'daemons'), { recursive: true })
  writeFileSync(record(), text)
}
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keruta-pid-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

it('the pid file is there while it is held, and everything goes with it', async () => {
  const given = join(home, 'my.pid')
  const letGo = await holdPidFile(home, 's', given)
  expect(readFileSync(given, 'utf8')).toBe(`${process.pid}\n`)
  letGo()
  expect([existsSync(given), readdirSync(join(home, 'daemons'))]).toEqual([false, []])
})

it('is refused while the process that the record names lives', async () => {
  write(JSON.stringify({ ...thisProcess(), sessionId: 's', pidFile: 'x' }))
  await expect(holdPidFile(home, 's', undefined)).rejects.toThrow(`process ${process.pid}`)
})

it.each([
  ['a process that has its pid by now, but is another', () => ({ ...thisProcess(), startedAt: '1' })],
  ['a process that has gone', () => ({ ...thisProcess(), pid: 4_190_000 })],
])('is taken over from %s, and from a lock that such a one held', async (_, owner) => {
  write(JSON.stringify(owner()))
  writeFileSync(`${record()}.lock`, JSON.stringify(owner()))
  const letGo = await holdPidFile(home, 's', undefined)
  expect(JSON.parse(readFileSync(record(), 'utf8'))).toMatchObject(thisProcess())
  letGo()
  expect(readdirSync(join(home, 'daemons'))).toEqual([])
})

it('a record that cannot be read holds nobody up', async () => {
  write('{"pid":')
  const letGo = await holdPidFile(home, 's', undefined)
  letGo()
})

it('a pid file that a daemon of another session holds is not taken', async () => {
  const given = join(home, 'shared.pid')
  const other = { ...ownerOf(process.ppid), sessionId: 'one', pidFile: given }
  write(JSON.stringify({}))
  writeFileSync(join(home, 'daemons', `one@${hostname()}.json`), JSON.stringify(other))
  writeFileSync(given, `${process.ppid}\n`)
  await expect(holdPidFile(home, 'two', given)).rejects.toThrow('belongs to the daemon of session one')
  expect(existsSync(join(home, 'daemons', `two@${hostname()}.json`))).toBe(false)
})
