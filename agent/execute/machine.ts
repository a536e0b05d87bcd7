/** ELF's numbers for machines, and what Node calls them. */
const MACHINES: Record<number, [name: string, arch: NodeJS.Architecture]> = {
  3: ['x86, 32 bits', 'ia32'],
  8: ['MIPS', 'mips'],
  20: ['PowerPC', 'ppc64'],
  21: ['PowerPC, 64 bits', 'ppc64'],
  22: ['s390x', 's390x'],
  40: ['ARM, 32 bits', 'arm'],
  62: ['x86-64', 'x64'],
  183: ['ARM, 64 bits', 'arm64'],
  243: ['RISC-V', 'riscv64'],
  258: ['LoongArch', 'loong64'],
}
/** These run there too. */
const ALSO: Partial<Record<NodeJS.Architecture, NodeJS.Architecture>> = { x64: 'ia32', arm64: 'arm' }

/** The machine that a program was made for where it is not this one, by the program's first bytes. */
export function foreignMachine(
  head: Buffer,
  platform = process.platform,
  arch = process.arch,
): string | undefined {
  const magic = head.length < 20 ? '' : head.toString('latin1', 0, 4)
  if (magic.startsWith('MZ')) return platform === 'win32' ? undefined : 'Windows'
  if (/^(\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)$/.test(magic)) return platform === 'darwin' ? undefined : 'macOS'
  if (magic !== '\x7fELF') return undefined
  if (platform === 'darwin' || platform === 'win32') return 'Linux'
  const machine = MACHINES[head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)]
  return machine === undefined || machine[1] === arch || machine[1] === ALSO[arch] ? undefined : machine[0]
}
