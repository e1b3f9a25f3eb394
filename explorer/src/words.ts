const MILLISECONDS = 1000;
const KIBIBYTE = 1024;

/** A duration as people read it. */
export function inTime(ms: number): string {
  if (ms >= 10 * MILLISECONDS) return `${(ms / MILLISECONDS).toFixed(0)} s`;
  if (ms >= MILLISECONDS) return `${(ms / MILLISECONDS).toFixed(1)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}

/** A size as people read it. */
export function inBytes(bytes: number): string {
  return bytes < KIBIBYTE ? `${String(bytes)} B` : `${(bytes / KIBIBYTE).toFixed(1)} KiB`;
}

/** `1 call`, `2 calls`. */
export function counted(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? "" : "s"}`;
}
