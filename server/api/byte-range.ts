import { KerutaError } from '#protocol/errors.ts'

/** `end` is not part of it. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * What a `Range` header asks for. Only single ranges are served; several, and what is no range of bytes, are answered by the whole.
 * @returns undefined for the whole, `unsatisfiable` where there is nothing of it
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '' || size === 0) return undefined
  if (first === '') {
    const suffix = Number(last)
    return suffix === 0 ? 'unsatisfiable' : { start: Math.max(0, size - suffix), end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(size, Number(last) + 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}

// Where an upload's body belongs: `bytes 0-99/1000`, or `bytes */1000` where nothing is left to bring.
export function placeOf(header: string, contentLength: number | undefined) {
  const [, first, last, whole] = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/i.exec(header.trim()) ?? []
  if (whole === undefined) throw badRange('must be "bytes FIRST-LAST/SIZE", or "bytes */SIZE" with no body')
  const total = Number(whole)
  if (first === undefined || last === undefined) {
    if (contentLength) throw badRange('"*" goes with an empty body')
    return { offset: total, length: 0, total }
  }
  const length = Number(last) + 1 - Number(first)
  if (length < 1) throw badRange('ends before it begins')
  if (contentLength !== undefined && contentLength !== length)
    throw badRange(`spans ${length} bytes, and the body has ${contentLength}`)
  return { offset: Number(first), length, total }
}

function badRange(message: string): KerutaError {
  return new KerutaError('BAD_REQUEST', `Content-Range ${message}`, {
    errors: [{ path: 'Content-Range', message }],
  })
}
