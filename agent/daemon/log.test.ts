import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLog } from './log.ts'

const MB = 1024 * 1024
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keruta-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = (file: string) =>
  openLog({
    file,
    format: 'json',
    output: 'file',
    level: undefined,
    mask: text => text.replaceAll('hunter2', '***'),
  })

it('is a JSON object a line, without secrets and without what is below the level', () => {
  const file = join(dir, 'logs', 'daemon.log')
  const log = open(file)
  log.info('password is hunter2', { taskId: 'hunter2', n: 1 })
  log.debug('left out')
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual([
    { time: expect.any(String), level: 'INFO', message: 'password is ***', taskId: '***', n: 1 },
  ])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('is turned over at 10 MB, and five files are kept', () => {
  const file = join(dir, 'daemon.log')
  const log = open(file)
  for (let turn = 0; turn < 7; turn++) {
    log.info(`turn ${turn}`)
    truncateSync(file, 10 * MB)
  }
  log.info('last')
  expect(readdirSync(dir).sort()).toEqual(['daemon.log', ...[1, 2, 3, 4].map(n => `daemon.log.${n}`)])
  expect(readFileSync(file, 'utf8')).toContain('"last"')
  expect(readFileSync(`${file}.4`, 'utf8')).toContain('turn 3')
})

it('goes on where its file cannot be written', () => {
  writeFileSync(join(dir, 'logs'), '')
  expect(() => open(join(dir, 'logs', 'daemon.log')).info('hello')).not.toThrow()
})
