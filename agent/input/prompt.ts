import { stripVTControlCharacters } from 'node:util'

const KEPT_BYTES = 8 * 1024
const MAX_PROMPT = 4096

/** The end of what a script has printed since it was last answered. */
export class OutputTail {
  readonly #ends = [new Tail(), new Tail()]
  #last = 0

  /** @param chunk good until this returns */
  add(source: 0 | 1, chunk: Buffer): void {
    this.#ends[source]!.add(chunk)
    this.#last = source
  }

  clear(): void {
    for (const end of this.#ends) end.clear()
  }

  /** The last line where no newline has closed it, as a terminal shows it. */
  get openLine(): string {
    return this.#lines.at(-1)!
  }

  /** What asks for input: the open line; the line before it where that says nothing. */
  get prompt(): string {
    const lines = this.#lines
    const open = lines.pop()!
    const before = lines.findLast(line => line.trim() !== '') ?? ''
    const prompt = open.trim() === '' ? before : /[\p{L}\p{N}]/u.test(open) ? open : `${before}\n${open}`
    return prompt.replace(/^\n/, '').slice(-MAX_PROMPT)
  }

  get #lines(): string[] {
    const last = this.#ends[this.#last]!.lines()
    const other = this.#ends[1 - this.#last]!.lines()
    return last.at(-1)!.trim() === '' && other.at(-1)!.trim() !== '' ? other : last
  }
}

class Tail {
  readonly #bytes = Buffer.alloc(2 * KEPT_BYTES)
  #length = 0

  add(chunk: Buffer): void {
    const added = chunk.length > KEPT_BYTES ? chunk.subarray(-KEPT_BYTES) : chunk
    if (this.#length + added.length > this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#length - KEPT_BYTES, this.#length)
      this.#length = KEPT_BYTES
    }
    this.#length += added.copy(this.#bytes, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  lines(): [string, ...string[]] {
    const text = stripVTControlCharacters(this.#bytes.toString('utf8', 0, this.#length))
    return text.split('\n').map(shown) as [string, ...string[]]
  }
}

/** A line without what a carriage return overwrites. */
function shown(line: string): string {
  const end = line.replace(/\r+$/, '')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is left of them would be shown as boxes
  return end.slice(end.lastIndexOf('\r') + 1).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
}

/** Whether an open line ends as questions do: `Name: `, `[Y/n]`, `(yes/no)`, `> `; not as progress does. */
export function looksLikePrompt(line: string): boolean {
  const text = line.trimEnd()
  if (/\d\s*%|\d\/\d|\.\.\.|…/.test(text)) return false
  return (
    /[:?>$#❯»：？]$|\[[^\]]*\p{L}[^\]]*\]$|\([^)]*[\p{L}\p{N}][^)]*\)$/u.test(text) || asksForSecret(text)
  )
}

/** Whether the answer should be shown nowhere, going by the words of the question. */
export function asksForSecret(prompt: string): boolean {
  return /pass(word|phrase|code)|\bPIN\b|secret|\btoken\b|credential|api.?key|one.time|パスワード|暗証/i.test(
    prompt,
  )
}
