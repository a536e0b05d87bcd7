import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'keruta-bin-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** Its end, run in an empty folder. */
async function run(command: string, ...args: string[]) {
  const options = { cwd: await folder(), env: { PATH: process.env.PATH, NODE_ENV: 'production' as const } }
  return new Promise<{ code: unknown; stdout: string; stderr: string }>(resolve =>
    execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  )
}

test('the command is run from anywhere by its link, as npm makes it', async () => {
  const link = join(await folder(), 'keruta-server')
  await symlink(join(import.meta.dirname, 'keruta-server.mjs'), link)
  expect(await run(link, '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  expect(await run(link, '--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: /) })
  expect(await run(link, 'nope')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^keruta-server: unknown command "nope"\nUsage: /),
  })
  expect(await run(link, 'store', 'check')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the folder .*keruta-bin-.*data holds no keruta data/),
  })
})

test('a copy among the packages of another project says how it is installed', async () => {
  const copy = join(await folder(), 'node_modules/keruta')
  for (const part of ['server/bin', 'scripts']) {
    await mkdir(join(copy, part), { recursive: true })
    await cp(join(root, part), join(copy, part), { recursive: true })
  }
  for (const command of [[], ['store', 'check']]) {
    const ended = await run(process.execPath, join(copy, 'server/bin/keruta-server.mjs'), ...command)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain('npm install -g .')
  }
})
