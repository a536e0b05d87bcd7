import { z } from 'zod'

/** Paging of every list: `page` counts from 0. */
export const pageQueryShape = {
  page: z.coerce
    .number({ error: 'must be a whole number, 0 or more' })
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER / 1000)
    .default(0),
  size: z.coerce
    .number({ error: 'must be a whole number from 1 to 1000' })
    .int()
    .min(1)
    .max(1000)
    .default(100),
}

export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({
    content: z.array(item),
    page: z.number().int(),
    size: z.number().int(),
    /** The same as `page`. */
    number: z.number().int(),
    totalElements: z.number().int(),
    totalPages: z.number().int(),
    first: z.boolean(),
    last: z.boolean(),
  })

export interface Page<T> {
  content: T[]
  page: number
  size: number
  number: number
  totalElements: number
  totalPages: number
  first: boolean
  last: boolean
}

export function pageOf<T>(content: T[], page: number, size: number, totalElements: number): Page<T> {
  const totalPages = Math.ceil(totalElements / size)
  return {
    content,
    page,
    size,
    number: page,
    totalElements,
    totalPages,
    first: page === 0,
    last: page >= totalPages - 1,
  }
}
