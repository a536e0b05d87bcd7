/** Lines `firstSeq` … `lastSeq`. */
export interface Span {
  firstSeq: number
  lastSeq: number
}

/**
 * While segments are replaced, old and new ones overlap, and both are right. These are the ones that hold each line once, as far as
 * that can be: at each place the one that begins last.
 * @param spans in rising `firstSeq`
 * @param after only what holds a line above this
 */
export function tile<S extends Span>(spans: S[], after: number): S[] {
  const tiles: S[] = []
  let seen = after
  for (const [at, span] of spans.entries()) {
    if (span.lastSeq <= seen || hasBetter(spans, at, seen)) continue
    tiles.push(span)
    seen = span.lastSeq
  }
  return tiles
}

function hasBetter(spans: Span[], at: number, seen: number): boolean {
  for (let next = at + 1; next < spans.length && spans[next]!.firstSeq <= seen + 1; next++)
    if (spans[next]!.lastSeq > seen) return true
  return false
}
