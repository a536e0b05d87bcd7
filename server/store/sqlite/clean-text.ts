/** The library cuts text at a NUL. Its visible symbol ␀ is kept in its place. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\u2400')
}
