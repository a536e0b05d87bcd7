import type { Command, Option } from 'commander'

/** What the words before the cursor say of the one under it. */
export type Wanted =
  | { kind: 'command'; of: Command }
  | { kind: 'option'; of: Command }
  /** @param before what stands before it in the same word: `--level=` or `INFO,` */
  | { kind: 'value'; option: Option; of: Command; before: string; partial: string }
  | { kind: 'argument'; name: string; of: Command; operands: string[] }
  /** A word of another program, as after `--`. */
  | { kind: 'foreign' }

/** Reads the words of a command line, the last of which is not finished. Pure. */
export function wantedBy(
  program: Command,
  words: readonly string[],
): Wanted & { flags: Record<string, string> } {
  const partial = words.at(-1) ?? ''
  const flags: Record<string, string> = {}
  const operands: string[] = []
  let command = program
  let open: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (word === '--') return { kind: 'foreign', flags }
    if (open) {
      flags[open.long ?? ''] = word
      open = undefined
    } else if (word.startsWith('-') && word !== '-') {
      const [name, value] = splitOption(word)
      const option = optionOf(command, name)
      if (option && value !== undefined) flags[option.long ?? ''] = value
      else if (option && takesValue(option)) open = option
    } else {
      const child = operands.length === 0 ? command.commands.find(each => each.name() === word) : undefined
      if (child) command = child
      else operands.push(word)
    }
  }
  if (open) return { kind: 'value', option: open, of: command, ...listPart(partial), flags }
  if (partial.startsWith('-')) {
    const [name, value] = splitOption(partial)
    const option = value === undefined ? undefined : optionOf(command, name)
    if (!option || value === undefined) return { kind: 'option', of: command, flags }
    const part = listPart(value)
    return {
      kind: 'value',
      option,
      of: command,
      before: `${name}=${part.before}`,
      partial: part.partial,
      flags,
    }
  }
  if (command.commands.length > 0 && operands.length === 0) return { kind: 'command', of: command, flags }
  const known = command.registeredArguments
  const argument = known[operands.length] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined)
  return { kind: 'argument', name: argument?.name() ?? '', of: command, operands, flags }
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find(option => option.long === name || option.short === name)
}

function takesValue(option: Option): boolean {
  return option.required || option.optional
}

function splitOption(word: string): [name: string, value: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

/** Of a list, `INFO,WA`, the last part is not finished. */
function listPart(text: string): { before: string; partial: string } {
  const at = text.lastIndexOf(',') + 1
  return { before: text.slice(0, at), partial: text.slice(at) }
}
