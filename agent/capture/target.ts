import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'

/** What is to be run, and how it is called on the server. */
export interface Target {
  file: string
  args: string[]
  name: string
  /** The script's text as the server keeps it. */
  script: string
  /** The script's file where it is one. */
  path?: string
}

const MAX_SCRIPT_BYTES = 1024 * 1024

/** `-- cmd args…` */
export function commandTarget(words: string[]): Target {
  const line = words.map(quoted).join(' ')
  return {
    file: words[0]!,
    args: words.slice(1),
    name: shortName(line),
    script: line.slice(0, MAX_SCRIPT_BYTES),
  }
}

/** A file where there is one of that name, else a line for `sh -c`. */
export function scriptOrLineTarget(text: string): Target {
  if (isFile(text)) return fileTarget(text)
  return { file: 'sh', args: ['-c', text], name: shortName(text), script: text }
}

/** A script's file. Where there is none, the attempt to run it will tell. */
export function fileTarget(path: string): Target {
  const name = basename(path)
  const file = resolve(path)
  if (!isFile(path)) return { file, args: [], name, script: path }
  const script = scriptText(path)
  const [interpreter, ...options] = interpreterOf(path)
  if (interpreter === undefined || (isExecutable(path) && isSelfRunning(path)))
    return { file, args: [], name, script, path: file }
  return { file: interpreter, args: [...options, file], name, script, path: file }
}

/** The words of the `#!` line; `sh` for text without one; none for a binary. */
function interpreterOf(path: string): string[] {
  const head = readHead(path)
  if (head.includes(0)) return []
  const line = head.toString('utf8').split('\n', 1)[0]!.trimEnd()
  if (!line.startsWith('#!')) return ['sh']
  const words = line.slice(2).trim().split(/\s+/)
  return words[0]?.endsWith('/env') ? words.slice(words[1] === '-S' ? 2 : 1) : words
}

/** The system takes a carriage return for a part of the interpreter's name. */
function isSelfRunning(path: string): boolean {
  return /^#![^\r\n]*(\n|$)/.test(readHead(path).toString('latin1'))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function readHead(path: string): Buffer {
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(512)
    return head.subarray(0, readSync(fd, head, 0, head.length, 0))
  } finally {
    closeSync(fd)
  }
}

function scriptText(path: string): string {
  const bytes = readFileSync(path).subarray(0, MAX_SCRIPT_BYTES / 4)
  return bytes.includes(0) ? resolve(path) : bytes.toString('utf8')
}

function shortName(line: string): string {
  const first = line.trim().split('\n', 1)[0]!.trim()
  return (first.length > 200 ? `${first.slice(0, 199)}…` : first) || 'script'
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
