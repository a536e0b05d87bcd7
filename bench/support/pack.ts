/** Several frames as one message: a u32 length before each. */
export function pack(frames: Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap(frame => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(frame.length)
      return [length, frame]
    }),
  )
}

export function unpack(message: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const length = message.readUInt32LE(at)
    frames.push(message.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return frames
}
