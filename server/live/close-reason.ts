/** As much of a text as the reason of a WebSocket's close holds, which has at most 123 bytes. */
export function closeReason(text: string): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, 122), { stream: true })
}
