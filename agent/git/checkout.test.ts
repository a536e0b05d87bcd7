import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env as processEnv } from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkOut } from './checkout.ts'
import { nameOfRepository, withoutCredentials } from './url.ts'

let root: string
let origin: string
let work: string
let dir: string
let said: string[]
const env = { PATH: processEnv.PATH, HOME: '' }
const sh = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...env, NODE_ENV: 'test' },
  }).trim()

/** Commits a file at the origin. @returns the commit */
function commit(name: string, text: string, branch = 'main'): string {
  sh(work, 'checkout', '-q', '-B', branch)
  writeFileSync(join(work, name), text)
  sh(work, 'add', '-A')
  sh(work, 'commit', '-q', '-m', text)
  sh(work, 'push', '-q', '--force', 'origin', branch)
  return sh(work, 'rev-parse', 'HEAD')
}

const get = (ref?: string, url = `file://${origin}`, signal = new AbortController().signal) =>
  checkOut({ url, ref, dir, env, signal, say: message => void said.push(message) })
const file = (name: string) => readFileSync(join(dir, name), 'utf8')
const put = (name: string, text: string) => writeFileSync(join(dir, name), text)
const keptBranches = () =>
  sh(dir, 'branch', '--list', 'keruta/kept-*', '--format=%(refname:short)').split('\n').filter(Boolean)

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keruta-git-'))
  env.HOME = root
  origin = join(root, 'app.git')
  work = join(root, 'work')
  dir = join(root, 'keruta', 'app')
  said = []
  sh(root, 'init', '-q', '--bare', '-b', 'main', origin)
  sh(root, 'clone', '-q', origin, work)
  commit('file', 'one')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('a checkout', () => {
  it('is cloned without its history, then follows the default branch', async () => {
    commit('file', 'two')
    await get()
    expect([
      file('file'),
      sh(dir, 'rev-list', '--count', 'HEAD'),
      sh(dir, 'branch', '--show-current'),
    ]).toEqual(['two', '1', 'main'])
    commit('file', 'three')
    await get()
    expect(file('file')).toBe('three')
    expect(keptBranches()).toEqual([])
  })

  it('is at the branch, tag or commit that is named, whole or short, also where it is old', async () => {
    const first = sh(work, 'rev-parse', 'HEAD')
    sh(work, 'tag', '-a', 'v1', '-m', 'v1')
    sh(work, 'push', '-q', 'origin', 'v1')
    commit('file', 'two')
    commit('file', 'side', 'feature/x')
    for (const [ref, text] of [
      ['feature/x', 'side'],
      ['v1', 'one'],
      ['main', 'two'],
      [first, 'one'],
      ['main', 'two'],
      [first.slice(0, 8), 'one'],
    ]) {
      await get(ref)
      expect([ref, file('file')]).toEqual([ref, text])
    }
    expect(keptBranches()).toEqual([])
  })

  it('leaves what tasks have changed as long as the branch has not moved', async () => {
    await get()
    put('file', 'changed')
    put('new', 'untracked')
    await get()
    expect([file('file'), file('new')]).toEqual(['changed', 'untracked'])
    expect(said.at(-1)).toContain('with what earlier tasks changed')
  })

  it('keeps changes and commits of tasks on a branch when it moves, and leaves files that git does not know', async () => {
    await get()
    put('file', 'committed')
    sh(dir, 'commit', '-q', '-am', 'local')
    put('file', 'changed')
    put('build.out', 'untracked')
    commit('file', 'two')
    await get()
    expect([file('file'), file('build.out')]).toEqual(['two', 'untracked'])
    const [kept, ...others] = keptBranches()
    expect(others).toEqual([])
    expect(said).toContain(`git: what earlier tasks changed is kept on the branch ${kept}`)
    expect(sh(dir, 'show', `${kept}:file`)).toBe('changed')
    expect(sh(dir, 'log', '--format=%s', `${kept}~1`, '-1')).toBe('local')
  })

  it('keeps files that are in the way of the new ones', async () => {
    await get()
    put('later', 'mine')
    commit('later', 'theirs')
    await get()
    expect(file('later')).toBe('theirs')
    expect(sh(dir, 'show', `${keptBranches()[0]}:later`)).toBe('mine')
  })

  it('follows a branch that was rewritten', async () => {
    commit('file', 'two')
    await get()
    sh(work, 'reset', '-q', '--hard', 'HEAD~1')
    commit('file', 'rewritten')
    await get()
    expect(file('file')).toBe('rewritten')
    expect(keptBranches()).toEqual([])
  })

  it('is begun anew where a clone was interrupted, and goes on where git was killed', async () => {
    mkdirSync(`${dir}.new/.git`, { recursive: true })
    await get()
    put('.git/index.lock', '')
    utimesSync(join(dir, '.git/index.lock'), 0, 0)
    commit('file', 'two')
    await get()
    expect(file('file')).toBe('two')
    expect(existsSync(`${dir}.new`)).toBe(false)
  })

  it.each([
    ['a folder of somebody', () => put('mine', 'x'), 'is no git repository: move it away'],
    ["somebody's repository", () => sh(root, 'clone', '-q', origin, dir), 'was not cloned by keruta'],
  ])('is not made of %s', async (_, make, message) => {
    mkdirSync(dir, { recursive: true })
    make()
    await expect(get()).rejects.toThrow(message)
  })

  it.each([
    ['no-such-branch', undefined, 'has no branch, tag or commit no-such-branch'],
    ['abcdef12', undefined, 'has no branch, tag or commit abcdef12'],
    ['--upload-pack=touch x', undefined, 'is no name of a branch'],
    ['a:b', undefined, 'is no name of a branch'],
    [undefined, 'ext::sh -c touch% x', 'cannot be used'],
    [undefined, '--upload-pack=x', 'cannot be used'],
    [undefined, 'file:///no/such/repository', 'does not'],
  ])('of %s from %s fails with the reason', async (ref, url, message) => {
    await expect(get(ref, url)).rejects.toThrow(message)
    expect(existsSync(dir)).toBe(false)
  })

  it('says nobody`s password', async () => {
    const url = 'http://user:hunter2@127.0.0.1:1/x.git'
    const failure = await get('main', url).catch(error => (error as Error).message)
    expect(failure).toMatch(/127\.0\.0\.1/)
    expect([failure, ...said].join('\n')).not.toContain('hunter2')
  })

  it('needs git', async () => {
    const { PATH } = env
    env.PATH = root
    await expect(get()).rejects.toThrow('git is not installed')
    env.PATH = PATH
  })

  it('ends where the task ends', async () => {
    await expect(get('main', `file://${origin}`, AbortSignal.abort())).rejects.toThrow('git')
  })
})

it('credentials are taken out of URLs, and a repository is called by its last name', () => {
  expect(withoutCredentials("fatal: 'https://u:p@h/x.git' and ssh://git@h/y")).toBe(
    "fatal: 'https://h/x.git' and ssh://h/y",
  )
  expect(['https://h/team/app.git', 'git@h:team/app.git', '/srv/app/', 'x/..'].map(nameOfRepository)).toEqual(
    ['app', 'app', 'app', 'repository'],
  )
})
