/** The value below which this part (0 … 1) of the samples lies. */
export function percentile(samples: number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}

export const median = (samples: number[]): number => percentile(samples, 0.5)

/** How often `work` is run before what counts, and its results for the runs that count. */
export async function repeat(warmUps: number, runs: number, work: () => Promise<number>): Promise<number[]> {
  for (let run = 0; run < warmUps; run++) await work()
  const samples: number[] = []
  for (let run = 0; run < runs; run++) samples.push(await work())
  return samples
}
