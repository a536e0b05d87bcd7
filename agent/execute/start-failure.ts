import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { foreignMachine } from './machine.ts'

/** Why a script could not be started: in words, as a code, and as a shell's exit code. */
export interface StartFailure {
  message: string
  errorCode: string
  exitCode: number
}

export class StartError extends Error {
  readonly failure: StartFailure

  constructor(failure: StartFailure) {
    super(failure.message)
    this.failure = failure
  }
}

const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** Explains an error of `spawn`, by looking at what was to be started. @param path the PATH that it was looked for in */
export function startFailure(
  error: NodeJS.ErrnoException,
  { file, cwd = process.cwd(), path }: { file: string; cwd?: string; path: string | undefined },
): StartFailure {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    return failure('WORKING_DIR_MISSING', `the working directory ${cwd} does not exist`, NOT_EXECUTABLE)
  const found = find(file, cwd, path)
  if (found === undefined) {
    const named = file.includes('/') ? `${file} does not exist` : `${file} was not found`
    return error.code === 'ENOENT' ? failure('COMMAND_NOT_FOUND', named, NOT_FOUND) : other(error, file)
  }
  if (statSync(found).isDirectory())
    return failure(
      'IS_A_DIRECTORY',
      `${file} is a directory: name a script or a program in it`,
      NOT_EXECUTABLE,
    )
  if (error.code === 'EACCES')
    return failure('NOT_EXECUTABLE', `${file} may not be executed: chmod +x ${file}`, NOT_EXECUTABLE)
  return explainHead(headOf(found), file) ?? other(error, file)
}

/** Something else that kept the script from its start. */
export function unknownFailure(error: unknown): StartFailure {
  return failure('START_FAILED', `it could not be started: ${(error as Error).message}`, NOT_EXECUTABLE)
}

/** Explains a script that was started and could not run. @returns nothing where its own words stand */
export function deathOfScript(
  script: string | undefined,
  code: number | null,
): Omit<StartFailure, 'exitCode'> | undefined {
  if (script === undefined || code === 0 || code === null) return undefined
  const head = headOf(script)
  const machine = foreignMachine(head)
  if (machine !== undefined && (code === 2 || code >= NOT_EXECUTABLE)) return wrongMachine(script, machine)
  return /^[^\n]*\r\n/.test(head.toString('latin1')) ? windowsLines(script) : undefined
}

function explainHead(head: Buffer, file: string): StartFailure | undefined {
  const machine = foreignMachine(head)
  if (machine !== undefined) return { ...wrongMachine(file, machine), exitCode: NOT_EXECUTABLE }
  const first = head.toString('utf8').split('\n', 1)[0]!
  if (first.startsWith('#!') && first.endsWith('\r'))
    return { ...windowsLines(file), exitCode: NOT_EXECUTABLE }
  if (first.startsWith('#!')) {
    const interpreter = first.slice(2).trim().split(/\s/)[0]
    const message = `${file} names the interpreter ${interpreter || '(none)'}, which cannot be started here: mend its first line`
    return failure('BAD_INTERPRETER', message, NOT_EXECUTABLE)
  }
  if (head.subarray(0, 4).toString('latin1') === '\x7fELF')
    return failure(
      'BAD_INTERPRETER',
      `${file} needs a program loader that this system does not have: it was built for another one (glibc, musl)`,
      NOT_EXECUTABLE,
    )
  return undefined
}

function wrongMachine(file: string, machine: string) {
  return {
    errorCode: 'WRONG_ARCHITECTURE',
    message: `${file} is a program for ${machine}, and this machine is ${process.platform} on ${process.arch}`,
  }
}

function windowsLines(file: string) {
  return {
    errorCode: 'WINDOWS_LINE_ENDS',
    message: `${file} has Windows line ends, which its interpreter takes for a part of the text: sed -i 's/\\r$//' ${file}`,
  }
}

function other(error: NodeJS.ErrnoException, file: string): StartFailure {
  const reasons: Record<string, string> = {
    E2BIG: 'its arguments and variables are too long',
    EAGAIN: 'the system has no room for another process now',
    ENOMEM: 'the system has no memory for another process now',
    ENOEXEC: 'it is neither a program nor a script',
    ETXTBSY: 'it is being written to',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return failure('START_FAILED', `${file} could not be started: ${reason}`, NOT_EXECUTABLE)
}

function failure(errorCode: string, message: string, exitCode: number): StartFailure {
  return { message, errorCode, exitCode }
}

function find(file: string, cwd: string, path = ''): string | undefined {
  const folders = file.includes('/') ? [''] : path.split(delimiter)
  return folders
    .map(folder => resolve(cwd, folder, file))
    .find(each => statSync(each, { throwIfNoEntry: false }) !== undefined)
}

function headOf(file: string): Buffer {
  const head = Buffer.alloc(512)
  try {
    const fd = openSync(file, 'r')
    try {
      return head.subarray(0, readSync(fd, head, 0, head.length, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    return head.subarray(0, 0)
  }
}
