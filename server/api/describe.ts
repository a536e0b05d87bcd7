import { z } from '@hono/zod-openapi'
import { idSchema } from '#protocol/ids.ts'
import { problemSchema } from '#protocol/problem.ts'

/** Either proves who is asking: a key or token in `Authorization`, or the console's cookie. */
export const secured: Record<string, string[]>[] = [{ bearer: [] }, { cookie: [] }]

/** The schema under a name of its own in the OpenAPI document. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  return schema.meta({ id }) as T
}

const problem = named('Problem', problemSchema)

/** Every operation may answer with a problem document. */
const problems = {
  default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
}

/** `responses` of an operation that answers JSON with status 200. */
export function answers<T extends z.ZodType>(schema: T, description: string) {
  return { 200: { description, content: { 'application/json': { schema } } }, ...problems }
}

/** `responses` of an operation that creates something. */
export function creates<T extends z.ZodType>(schema: T, description: string) {
  return { 201: { description, content: { 'application/json': { schema } } }, ...problems }
}

/** `responses` of an operation whose work is done later. */
export function accepts<T extends z.ZodType>(schema: T, description: string) {
  return { 202: { description, content: { 'application/json': { schema } } }, ...problems }
}

/** `responses` of an operation that answers nothing. */
export function answersNothing(description: string) {
  return { 204: { description }, ...problems }
}

/** `responses` of an operation that answers bytes or text of these media types. */
export function answersText(description: string, ...types: string[]) {
  const schema = z.string()
  return {
    200: { description, content: Object.fromEntries(types.map(type => [type, { schema }])) },
    ...problems,
  }
}

/** A body whose fields may all be left out, and it with them. */
export function optionalBody<T extends z.ZodType>(schema: T) {
  return { required: false, content: { 'application/json': { schema } } }
}

export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } }
}

export const taskParams = z.object({ taskId: idSchema })
export const sessionParams = z.object({ sessionId: idSchema })
