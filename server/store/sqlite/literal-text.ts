import type { Where } from '#server/store/store.ts'

/** Fields whose wanted text has signs that SQL's LIKE reads as wildcards, and cannot be told not to. */
export function wildcards<T>(where: Where<T>): [field: string, text: string][] {
  return Object.entries(where).flatMap(([field, condition]): [string, string][] => {
    const text =
      typeof condition === 'object' && condition !== null && 'contains' in condition ? condition.contains : ''
    return typeof text === 'string' && /[%_]/.test(text) ? [[field, text]] : []
  })
}

/** As LIKE compares: the letters A to Z in any case. */
export function containsText(value: unknown, text: string): boolean {
  return typeof value === 'string' && lower(value).includes(lower(text))
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
