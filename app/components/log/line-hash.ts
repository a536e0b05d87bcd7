/** Lines that the address points to: `#L12`, `#seq-12`, `#L12-L20`. */
export interface MarkedLines {
  readonly from: number
  readonly to: number
}

export function lineOfHash(hash: string): MarkedLines | undefined {
  const match = /^#(?:L|seq-)(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash)
  if (!match) return undefined
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])]
  return { from: Math.max(1, Math.min(from, to)), to: Math.max(from, to) }
}

export function hashOfLines({ from, to }: MarkedLines): string {
  return from === to ? `#L${from}` : `#L${from}-L${to}`
}
