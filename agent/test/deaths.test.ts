import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeServer } from './fake-server.ts'
import { Keruta } from './keruta.ts'

let server: FakeServer
let keruta: Keruta
beforeEach(async () => {
  server = await FakeServer.start()
  keruta = new Keruta(server.url)
})
afterEach(async () => {
  keruta.clean()
  await server.stop()
})

/** A file for a script in the home folder. */
function file(text: string | Buffer, mode = 0o755): string {
  const path = join(keruta.home, 'script')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const elf = (machine: number) => {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(machine, 18)
  return head
}
const FOREIGN = process.arch === 'arm64' ? 62 : 183

async function end(...args: string[]) {
  const { code, stderr } = await keruta.run(['execute', '--task-id', 't', ...args])
  const call = server.calls.find(({ path }) => /\/(fail|success)$/.test(path))
  const { message, errorCode } = call!.body as { message: string; errorCode: string }
  expect(server.messages('t', 'agent')).toContain(message)
  return { code, stderr, message, errorCode }
}

describe('a script that cannot be started fails its task with the reason', () => {
  it.each([
    ['missing', () => join(keruta.home, 'none.sh'), 127, 'COMMAND_NOT_FOUND', /none\.sh does not exist$/],
    ['a directory', () => mkdtempSync(join(keruta.home, 'dir-')), 126, 'IS_A_DIRECTORY', /is a directory/],
    [
      'without its interpreter',
      () => file('#!/usr/bin/none -x\necho\n'),
      126,
      'BAD_INTERPRETER',
      /names the interpreter \/usr\/bin\/none/,
    ],
  ] as const)('%s', async (_what, path, code, errorCode, message) => {
    const ended = await end('--script', path())
    expect(ended).toMatchObject({ code, errorCode, message: expect.stringMatching(message) })
    expect(ended.stderr).toContain(ended.message)
  })

  it('a command that may not be executed, and one with Windows line ends', async () => {
    const path = file('#!/bin/sh\necho\n', 0o644)
    expect(await end('--', path)).toMatchObject({
      code: 126,
      errorCode: 'NOT_EXECUTABLE',
      message: expect.stringContaining('chmod +x'),
    })
    server.calls.length = 0
    file('#!/bin/sh\r\necho\r\n')
    expect(await end('--', path)).toMatchObject({
      code: 126,
      errorCode: 'WINDOWS_LINE_ENDS',
      message: expect.stringContaining('sed -i'),
    })
  })

  it('where its working directory is missing', async () => {
    const { code, stderr } = await keruta.run(['execute', '--task-id', 't', '--', 'true'], {
      KERUTA_WORKING_DIR: '/no/such/dir',
    })
    expect([code, stderr]).toEqual([
      126,
      expect.stringContaining('the working directory /no/such/dir does not exist'),
    ])
    expect(server.calls.at(-1)!.body).toMatchObject({ errorCode: 'WORKING_DIR_MISSING' })
  })

  it('but text without a first line runs by sh', async () => {
    const { code } = await keruta.run(['execute', '--task-id', 't', file('echo plain\n')])
    expect([code, server.messages('t')]).toEqual([0, ['plain']])
  })
})

describe('an end is explained', () => {
  it.each([
    [
      'a program of another machine, which the shell has tried to read',
      () => file(elf(FOREIGN)),
      'WRONG_ARCHITECTURE',
      /is a program for .*this machine is/,
    ],
    [
      'a script with Windows line ends',
      () => file('#!/bin/sh\r\ncd /tmp\r\nexit 1\r\n', 0o644),
      'WINDOWS_LINE_ENDS',
      /has Windows line ends/,
    ],
    [
      'a killed command of a shell',
      () => file('sh -c "kill -KILL \\$\\$"; exit $?'),
      'EXIT_137',
      /a command of it was ended by SIGKILL/,
    ],
    ['a crash', () => file('kill -SEGV $$'), 'SIGSEGV', /killed by SIGSEGV: it used memory/],
    [
      'a command that is missing',
      () => file('no-such-command-here'),
      'EXIT_127',
      /code 127: a command was not found/,
    ],
  ] as const)('%s', async (_what, path, errorCode, message) => {
    expect(await end('--script', path())).toMatchObject({
      errorCode,
      message: expect.stringMatching(message),
    })
  })
})

describe('children that go their own ways', () => {
  it('close their output early, and end later', async () => {
    const { code } = await keruta.run([
      'execute',
      '--task-id',
      't',
      '--',
      'sh',
      '-c',
      'echo one; exec >&- 2>&-; sleep 0.3; exit 5',
    ])
    expect([code, server.messages('t', 'stdout')]).toEqual([5, ['one']])
  })

  it('leave others behind that print on, or print after the end', async () => {
    const script = '(sleep 0.4; echo late) & echo first; setsid sh -c "sleep 0.2; echo daemon" & exit 0'
    const { code } = await keruta.run(['execute', '--task-id', 't', '--', 'sh', '-c', script])
    expect([code, server.messages('t', 'stdout')]).toEqual([0, ['first', 'daemon', 'late']])
  })
})
