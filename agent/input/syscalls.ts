/** How a system call waits for descriptors, and which of its arguments say for which. */
export type Wait = 'read' | 'sendfile' | 'poll' | 'ppoll' | 'select' | 'pselect' | 'epoll' | 'epoll2'

const NUMBERS: Partial<Record<NodeJS.Architecture, Record<number, Wait>>> = {
  x64: {
    0: 'read',
    7: 'poll',
    19: 'read',
    23: 'select',
    40: 'sendfile',
    232: 'epoll',
    270: 'pselect',
    271: 'ppoll',
    275: 'read',
    281: 'epoll',
    326: 'read',
    441: 'epoll2',
  },
  arm64: {
    22: 'epoll',
    63: 'read',
    65: 'read',
    71: 'sendfile',
    72: 'pselect',
    73: 'ppoll',
    76: 'read',
    285: 'read',
    441: 'epoll2',
  },
}

/** Which call a thread is blocked in, of Linux' on this machine. */
export function waitOf(line: string): { wait: Wait; args: number[] } | undefined {
  const [number, ...args] = line.split(' ')
  const wait = NUMBERS[process.arch]?.[Number(number)]
  return wait && { wait, args: args.map(Number) }
}

export const canReadSyscalls = process.platform === 'linux' && NUMBERS[process.arch] !== undefined
