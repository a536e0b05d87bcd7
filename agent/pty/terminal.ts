import { execFile, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { promisify } from 'node:util'

/** A terminal without a screen. `childFd` is the child's and must be closed here once it has it; `fd` is what a screen would hold. */
export interface Terminal {
  fd: number
  childFd: number
  /** `/dev/pts/3` */
  path: string
}

export interface Size {
  rows: number
  columns: number
}

/** TIOCSPTLCK and TIOCGPTN of Linux: Node cannot ask the kernel for them itself. */
const UNLOCK = [
  [
    'perl',
    '-e',
    'open(M,"+<&=3")||die;my $off=pack("i",0);ioctl(M,0x40045431,$off)||die;my $n=pack("i",0);ioctl(M,0x80045430,$n)||die;print unpack("i",$n)',
  ],
  [
    'python3',
    '-ISc',
    'import fcntl,struct;fcntl.ioctl(3,0x40045431,struct.pack("i",0));print(struct.unpack("i",fcntl.ioctl(3,0x80045430,b"0000"))[0])',
  ],
] as const

/**
 * Opens a terminal of the kernel's, of which the child is told nothing but its size. Lines end with LF alone, as in a pipe.
 * @throws Error that says why there is none to be had
 */
export function openTerminal(size: Size): Terminal {
  if (process.platform !== 'linux') throw new Error(`not on ${process.platform}`)
  const fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  try {
    const path = `/dev/pts/${unlock(fd)}`
    const childFd = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
    setModes(path, '-onlcr')
    resize(path, size)
    return { fd, childFd, path }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** No child was to be had for it. */
export function closeTerminal({ fd, childFd }: Terminal): void {
  closeSync(childFd)
  closeSync(fd)
}

/** Whoever looks at the size from now on finds this one; programs are told of the change. */
export function resize(path: string, { rows, columns }: Size): void {
  setModes(path, 'rows', String(rows), 'columns', String(columns))
}

function unlock(fd: number): number {
  for (const [file, ...args] of UNLOCK) {
    const { status, stdout } = spawnSync(file, args, { stdio: ['ignore', 'pipe', 'ignore', fd] })
    if (status === 0) return Number(stdout)
  }
  throw new Error('it takes perl or python3 to unlock one, and neither is installed')
}

function setModes(path: string, ...modes: string[]): void {
  const { error, status } = spawnSync('stty', ['-F', path, ...modes], { stdio: 'ignore' })
  if (error || status !== 0) throw new Error('stty of the coreutils is not installed')
}

/** Whether it shows nothing of what is typed while it still gathers lines: programs that draw what is typed themselves do neither. */
export async function hidesInput(path: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)('stty', ['-F', path, '-a']).catch(() => ({ stdout: '' }))
  return /(^|\s)-echo\s/.test(stdout) && /(^|\s)icanon\s/.test(stdout)
}
