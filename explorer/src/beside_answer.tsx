import { useExtensions } from "./answer";
import { DegradedNotice } from "./degraded";
import { type ModeChoice, ModeControl } from "./explain_mode";
import { Explained } from "./explained";

/** What stands above the answer: how to have the next one explained, and what this one tells. */
export function BesideAnswer({ choice }: { choice: ModeChoice }) {
  const { degraded, explain } = useExtensions();
  return (
    <>
      <ModeControl choice={choice} />
      <DegradedNotice degraded={degraded} />
      {explain && <Explained explanation={explain} />}
    </>
  );
}
