import type { Extensions } from "./answer";

/**
 * One line on what the answer in sight serves old, or not at all.
 *
 * The element is always there, since a screen reader announces what changes in one that it knows.
 */
export function DegradedNotice({ degraded }: { degraded: Extensions["degraded"] }) {
  return (
    <p className="degraded" role="status">
      {noticeFor(degraded ?? [])}
    </p>
  );
}

function noticeFor(entries: NonNullable<Extensions["degraded"]>): string {
  const old = entries.filter(({ served }) => served === "STALE").length;
  const missing = entries.length - old;
  const parts: string[] = [];
  if (old > 0) parts.push(`${counted(old)} old`);
  if (missing > 0) parts.push(`${old > 0 ? isOrAre(missing) : counted(missing)} missing`);
  return parts.length > 0 ? `Degraded: ${parts.join(", ")}. See extensions.degraded.` : "";
}

function counted(parts: number): string {
  return parts === 1 ? "1 part is" : `${String(parts)} parts are`;
}

function isOrAre(parts: number): string {
  return parts === 1 ? "1 is" : `${String(parts)} are`;
}
