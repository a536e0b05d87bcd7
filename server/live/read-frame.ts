import type { z } from 'zod'
import { inputErrors, KerutaError } from '#protocol/errors.ts'

/** A text frame as its schema has it. @throws KerutaError BAD_REQUEST that names each part that is wrong */
export function readFrame<T extends z.ZodType>(text: string, schema: T): z.infer<T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new KerutaError('BAD_REQUEST', `the frame is not JSON: ${(error as Error).message}`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = inputErrors(result.error)
  const told = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  throw new KerutaError('BAD_REQUEST', `the frame is not valid: ${told}`, { errors })
}
