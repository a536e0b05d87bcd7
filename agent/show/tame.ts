const ESC = '\u001b'
const RESET = `${ESC}[0m`

/** CSI; then OSC, DCS, SOS, PM and APC with their text; then what is ESC and one character. Each also in its one-character form. */
const SEQUENCE = new RegExp(
  [
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)`,
    String.raw`\x1b[ -/]*[0-~]`,
  ].join('|'),
  'g',
)
const CONTROL = /\r\n|[^\P{Cc}\t\n]/gu
const COLOUR = new RegExp(`^${ESC}\\[[\\d;:]*m$`)

/**
 * Text of a stranger for the terminal: of its sequences colours alone are kept, where they are wanted. Others could move the cursor,
 * rename the window or write the clipboard of whoever reads. Control characters are made visible.
 */
export function tamed(message: string, colour: boolean): string {
  let coloured = false
  const parts = message.split(SEQUENCE)
  const sequences = message.match(SEQUENCE) ?? []
  const text = parts
    .map((part, index) => {
      const sequence = sequences[index] ?? ''
      const kept = colour && COLOUR.test(sequence)
      coloured ||= kept
      return part.replace(CONTROL, picture) + (kept ? sequence : '')
    })
    .join('')
  return coloured ? text + RESET : text
}

function picture(control: string): string {
  const code = control.charCodeAt(0)
  if (control === '\r\n') return '\n'
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd'
}
